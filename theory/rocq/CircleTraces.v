(** * Traces of the kernels on the circle

    What is proved: for the weights p_n = q^n, n >= 1, the sum of all eigenvalues of the AD kernel is Li_{-4}(q) / 2, and that of
    the kernel of the central second difference of step h is [6 / (1 - q) - 8 G(h) + 2 G(2 h)] / (2 h^4) with
    G(t) = (1 - q cos t) / (1 - 2 q cos t + q^2).

    The argument is ours: 16 sin^4(x/2) = 6 - 8 cos x + 2 cos 2 x, and the geometric series of q^n cos n t, here by its partial
    sums. The eigenvalues are those of UniformCircle.v, each of cos nx and of sin nx. *)

From Coq Require Import Reals Lra Lia.
Set Warnings "-ambiguous-paths". (* Coquelicot's own *)
From Coquelicot Require Import Coquelicot.
From adfd Require Import UniformCircle.
Open Scope R_scope.

(** The sum of n^4 q^n over n >= 0 is the polylogarithm of order -4. *)
Definition is_polylogarithm_4 (q l : R) : Prop := is_series (fun n => INR n ^ 4 * q ^ n) l.

(** It exists for 0 < q < 1. *)
Lemma inverse_limit : is_lim_seq (fun n => / (INR n + 1)) 0.
Proof.
  replace (Finite 0) with (Rbar_inv p_infty) by reflexivity. apply is_lim_seq_inv; [|discriminate].
  apply is_lim_seq_ext with (fun n => INR (S n)); [intros n; apply S_INR|].
  apply (is_lim_seq_incr_1 INR). apply is_lim_seq_INR.
Qed.

Theorem polylogarithm_exists q : 0 < q < 1 -> exists l, is_polylogarithm_4 q l.
Proof.
  intros Q. enough (ex_series (fun n => INR n ^ 4 * q ^ n)) as [l L] by (exists l; exact L).
  apply ex_series_incr_1. apply ex_series_Rabs. apply (ex_series_DAlembert _ q); [lra| |].
  - intros n. apply Rmult_integral_contrapositive_currified; apply pow_nonzero; [|lra]. apply not_0_INR; lia.
  - apply is_lim_seq_ext with (fun n => q * (((1 + / (INR n + 1)) * (1 + / (INR n + 1))) * ((1 + / (INR n + 1)) * (1 + / (INR n + 1))))).
    + intros n. pose proof (pos_INR n) as N.
      rewrite Rabs_pos_eq.
      * rewrite !S_INR. simpl pow. field. split; [|lra]. apply pow_nonzero; lra.
      * apply Rdiv_le_0_compat; [apply Rmult_le_pos; apply pow_le; [apply pos_INR | lra]|].
        apply Rmult_lt_0_compat; apply pow_lt; [apply lt_0_INR; lia | lra].
    + assert (is_lim_seq (fun n => 1 + / (INR n + 1)) (1 + 0)) as U
        by (apply is_lim_seq_plus'; [apply is_lim_seq_const | exact inverse_limit]).
      pose proof (is_lim_seq_mult' _ _ _ _ U U) as V. pose proof (is_lim_seq_mult' _ _ _ _ V V) as W.
      replace (Finite q) with (Finite (q * (((1 + 0) * (1 + 0)) * ((1 + 0) * (1 + 0))))) by (f_equal; ring).
      exact (is_lim_seq_mult' _ _ _ _ (is_lim_seq_const q) W).
Qed.

(** The terms of the traces: both eigenfunctions of frequency n; n = 0 adds nothing. *)
Definition ad_term (q : R) (n : nat) : R := 2 * ad_eigenvalue (q ^ n) n.
Definition fd_term (q h : R) (n : nat) : R := 2 * fd_eigenvalue (q ^ n) h n.

Lemma no_constant q h : ad_term q 0 = 0 /\ fd_term q h 0 = 0.
Proof.
  unfold ad_term, fd_term, ad_eigenvalue, fd_eigenvalue. simpl INR.
  replace (0 * h / 2) with 0 by field. rewrite sin_0. split; [|unfold Rdiv at 2]; unfold Rdiv; simpl; ring.
Qed.

Definition G (q t : R) : R := (1 - q * cos t) / (1 - 2 * q * cos t + q ^ 2).

(** The sum of q^n cos(n t) over n < N. *)
Lemma cosine_sum q t N : (1 - 2 * q * cos t + q ^ 2) * sum_n (fun n => q ^ n * cos (INR n * t)) N
  = 1 - q * cos t - q ^ (S N) * cos (INR (S N) * t) + q ^ (S (S N)) * cos (INR N * t).
Proof.
  induction N as [|N IH].
  - rewrite sum_O. simpl. replace (1 * t) with t by ring. rewrite Rmult_0_l, cos_0. ring.
  - rewrite sum_Sn. change plus with Rplus.
    rewrite Rmult_plus_distr_l, IH. rewrite !S_INR.
    pose proof (cos_plus ((INR N + 1) * t) t) as C. pose proof (cos_minus ((INR N + 1) * t) t) as D.
    replace ((INR N + 1) * t + t) with ((INR N + 1 + 1) * t) in C by ring.
    replace ((INR N + 1) * t - t) with (INR N * t) in D by ring.
    assert (cos ((INR N + 1 + 1) * t) = 2 * cos t * cos ((INR N + 1) * t) - cos (INR N * t)) as E by lra.
    rewrite E. simpl. ring.
Qed.

Lemma denominator_pos q t : 0 < q < 1 -> 0 < 1 - 2 * q * cos t + q ^ 2.
Proof. intros Q. pose proof (COS_bound t). nra. Qed.

Lemma power_cos_limit q t : 0 < q < 1 -> is_lim_seq (fun N => q ^ N * cos (INR N * t)) 0.
Proof.
  intros Q. apply is_lim_seq_le_le with (u := fun N => - q ^ N) (w := fun N => q ^ N).
  - intros N. pose proof (COS_bound (INR N * t)). pose proof (pow_le q N ltac:(lra)). nra.
  - replace (Finite 0) with (Rbar_opp (Finite 0)) by (simpl; f_equal; ring).
    apply is_lim_seq_opp with (u := fun N => q ^ N). apply is_lim_seq_geom. rewrite Rabs_pos_eq; lra.
  - apply is_lim_seq_geom. rewrite Rabs_pos_eq; lra.
Qed.

Lemma cosine_series q t : 0 < q < 1 -> is_series (fun n => q ^ n * cos (INR n * t)) (G q t).
Proof.
  intros Q. pose proof (denominator_pos q t Q) as D. set (d := 1 - 2 * q * cos t + q ^ 2) in *.
  assert (is_lim_seq (sum_n (fun n => q ^ n * cos (INR n * t))) (G q t)) as L; [|exact L].
  apply is_lim_seq_ext with (u := fun N => / d * ((1 - q * cos t) - q ^ (S N) * cos (INR (S N) * t)
    + q ^ 2 * (q ^ N * cos (INR N * t)))).
  - intros N. pose proof (cosine_sum q t N) as E. fold d in E.
    apply (Rmult_eq_reg_l d); [|lra]. rewrite E. field_simplify; [|lra]. simpl. ring.
  - replace (Finite (G q t)) with (Finite (/ d * ((1 - q * cos t) - 0 + q ^ 2 * 0))) by (f_equal; unfold G; fold d; field; lra).
    apply is_lim_seq_mult'; [apply is_lim_seq_const|]. apply is_lim_seq_plus'.
    + apply is_lim_seq_minus'; [apply is_lim_seq_const|].
      apply (is_lim_seq_incr_1 (fun N => q ^ N * cos (INR N * t))). apply power_cos_limit; exact Q.
    + apply is_lim_seq_mult'; [apply is_lim_seq_const | apply power_cos_limit; exact Q].
Qed.

(** 16 sin^4(x / 2) = 6 - 8 cos x + 2 cos 2 x. *)
Lemma fourth_power x : (2 * sin (x / 2)) ^ 4 = 6 - 8 * cos x + 2 * cos (2 * x).
Proof.
  rewrite cos_2a_cos. replace x with (2 * (x / 2)) at 2 3 4 by field. rewrite !cos_2a_sin. ring.
Qed.

(** solvable.circle-traces. For 0 < q < 1 and p_n = q^n: the AD trace is half the polylogarithm of order -4, which converges; for
    every h <> 0 the FD trace is [6 / (1 - q) - 8 G(h) + 2 G(2 h)] / (2 h^4). *)
Theorem ad_trace q l : is_polylogarithm_4 q l -> is_series (ad_term q) (/ 2 * l).
Proof.
  intros L. apply is_series_ext with (fun n => scal (/ 2) (INR n ^ 4 * q ^ n)).
  - intros n. unfold scal, ad_term, ad_eigenvalue; simpl. unfold mult; simpl. field.
  - exact (is_series_scal (/ 2) _ _ L).
Qed.

Theorem fd_trace q h : 0 < q < 1 -> h <> 0 ->
  is_series (fd_term q h) (/ 2 * (6 / (1 - q) - 8 * G q h + 2 * G q (2 * h)) / h ^ 4).
Proof.
  intros Q Hh. assert (h ^ 4 <> 0) as H4 by (apply pow_nonzero; exact Hh).
  assert (is_series (fun n => q ^ n) (/ (1 - q))) as S0 by (apply is_series_geom; rewrite Rabs_pos_eq; lra).
  pose proof (cosine_series q h Q) as S1. pose proof (cosine_series q (2 * h) Q) as S2.
  pose proof (is_series_scal (6 / (2 * h ^ 4)) _ _ S0) as T0. pose proof (is_series_scal (- 8 / (2 * h ^ 4)) _ _ S1) as T1.
  pose proof (is_series_scal (2 / (2 * h ^ 4)) _ _ S2) as T2.
  pose proof (is_series_plus _ _ _ _ (is_series_plus _ _ _ _ T0 T1) T2) as S.
  replace (/ 2 * (6 / (1 - q) - 8 * G q h + 2 * G q (2 * h)) / h ^ 4)
    with (plus (plus (scal (6 / (2 * h ^ 4)) (/ (1 - q))) (scal (- 8 / (2 * h ^ 4)) (G q h))) (scal (2 / (2 * h ^ 4)) (G q (2 * h)))).
  - revert S. apply is_series_ext. intros n. unfold plus, scal; simpl. unfold mult; simpl.
    unfold fd_term, fd_eigenvalue. replace (INR n * (2 * h)) with (2 * (INR n * h)) by ring.
    pose proof (fourth_power (INR n * h)) as F.
    replace ((2 * sin (INR n * h / 2) / h) ^ 4) with ((2 * sin (INR n * h / 2)) ^ 4 / h ^ 4) by (field; exact Hh).
    rewrite F. field. exact Hh.
  - unfold plus, scal; simpl. unfold mult; simpl. field. repeat split; (exact Hh || lra).
Qed.
