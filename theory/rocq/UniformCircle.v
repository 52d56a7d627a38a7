(** * Uniform frequencies on the circle

    What is proved: for sine features on the circle with frequencies uniform on 1, ..., N and h in (0, 2 pi / (2 N - 1)], h < 2 pi,
    the spectrum of the central second difference has at least the truncated entropy of that of the exact second derivative, for
    every number of values kept and under every relative and every energy cut-off.

    The argument is ours: both spectra descend, their ratio sinc^2(n h / 2) rises along descending order, and Majorisation.v. *)

From Coq Require Import Reals Lra Lia Arith.
From adfd Require Import Entropy Majorisation.
Open Scope R_scope.

(** ** The spectra *)

(** Features sin(n x + b), b uniform on a period, integer frequencies n with weights p_n: the kernel of the second derivatives
    is (1/2) sum of p_n n^4 cos n(x - y), with the eigenvalue n^4 p_n / 4 for both cos nx and sin nx. *)
Definition ad_eigenvalue (p : R) (n : nat) : R := p * INR n ^ 4 / 4.

(** The central second difference of step h replaces n^4 by (2 sin(n h / 2) / h)^4. *)
Definition fd_eigenvalue (p h : R) (n : nat) : R := p * (2 * sin (INR n * h / 2) / h) ^ 4 / 4.

(** The frequencies 1, ..., N in descending order, each twice: N, N, N - 1, N - 1, ..., 1, 1. *)
Definition frequency (N k : nat) : nat := (N - k / 2)%nat.

(** The 2 N singular values in this order (square roots of the eigenvalues), with p_n = 1/N. *)
Definition ad (N k : nat) : R := sqrt (ad_eigenvalue (/ INR N) (frequency N k)).
Definition fd (N : nat) (h : R) (k : nat) : R := sqrt (fd_eigenvalue (/ INR N) h (frequency N k)).

(** ** Sines *)

(** n cos(n t) sin t <= sin(n t) where n t <= pi and t <= pi/2. *)
Lemma tangent_multiple t n : 0 <= t <= PI / 2 -> INR n * t <= PI -> INR n * (cos (INR n * t) * sin t) <= sin (INR n * t).
Proof.
  intros T. induction n as [|n IH]; intros U; [simpl; rewrite !Rmult_0_l, sin_0; lra|].
  rewrite S_INR in *. pose proof (pos_INR n) as N. pose proof PI_RGT_0 as Pi.
  replace ((INR n + 1) * t) with (INR n * t + t) in * by ring.
  specialize (IH ltac:(lra)). pose proof (sin_plus (INR n * t) t) as S1. pose proof (cos_plus (INR n * t) t) as C1.
  assert (0 <= sin (INR n * t + t)) as A by (apply sin_ge_0; nra).
  assert (0 <= sin (INR n * t)) as B by (apply sin_ge_0; nra).
  assert (0 <= cos t) as C by (apply cos_ge_0; lra). assert (0 <= sin t) as D by (apply sin_ge_0; lra).
  pose proof (COS_bound t) as E. pose proof (sin2_cos2 t) as F. unfold Rsqr in F.
  set (s := sin (INR n * t)) in *. set (c := cos (INR n * t)) in *. rewrite S1 in *. rewrite C1.
  set (st := sin t) in *. set (ct := cos t) in *.
  (* the difference is at least (1 - cos t) [sin((n+1) t) + (n+1) sin nt + n sin nt cos t] *)
  apply (Rmult_le_compat_r ct) in IH; auto.
  assert (0 <= (1 - ct) * ((s * ct + c * st) + (INR n + 1) * s + INR n * s * ct)) as G.
  { apply Rmult_le_pos; [lra|]. assert (0 <= INR n * s) by nra. nra. }
  assert ((INR n + 1) * ((c * ct - s * st) * st) = (INR n + 1) * (c * ct * st - s * (1 - ct * ct))) as E1.
  { replace (1 - ct * ct) with (st * st) by lra. ring. }
  rewrite E1. nra.
Qed.

(** sin(n t) / n falls with n while (n + 1) t <= pi. *)
Lemma sine_ratio t n : 0 <= t <= PI / 2 -> (INR n + 1) * t <= PI ->
  INR n * sin ((INR n + 1) * t) <= (INR n + 1) * sin (INR n * t).
Proof.
  intros T U. pose proof (pos_INR n) as N. pose proof PI_RGT_0 as Pi.
  pose proof (tangent_multiple t n T ltac:(lra)) as A.
  replace ((INR n + 1) * t) with (INR n * t + t) in * by ring. rewrite sin_plus.
  assert (0 <= sin (INR n * t)) as B by (apply sin_ge_0; nra). pose proof (COS_bound t) as E.
  assert (0 <= INR n * sin (INR n * t)) by nra. nra.
Qed.

(** sin(n t) rises with n while (2 n + 1) t <= pi. *)
Lemma sine_rises t n : 0 <= t <= PI -> (2 * INR n + 1) * t <= PI -> sin (INR n * t) <= sin ((INR n + 1) * t).
Proof.
  intros T U. pose proof (pos_INR n) as N. pose proof PI_RGT_0 as Pi.
  pose proof (form4 ((INR n + 1) * t) (INR n * t)) as F.
  replace (((INR n + 1) * t - INR n * t) / 2) with (t / 2) in F by field.
  replace (((INR n + 1) * t + INR n * t) / 2) with ((2 * INR n + 1) * t / 2) in F by field.
  assert (0 <= cos ((2 * INR n + 1) * t / 2)) by (apply cos_ge_0; nra).
  assert (0 <= sin (t / 2)) by (apply sin_ge_0; lra). nra.
Qed.

(** ** The two spectra *)

(** The square roots: n^2 and (2 sin(n h / 2) / h)^2, with the common factor sqrt(p) / 2. *)
Definition scale (p : R) : R := sqrt (p / 4).

Lemma sqrt_fourth p x : 0 <= p -> sqrt (p * x ^ 4 / 4) = scale p * x ^ 2.
Proof.
  intros P. unfold scale. replace (p * x ^ 4 / 4) with (p / 4 * (x ^ 2 * x ^ 2)) by field.
  rewrite sqrt_mult_alt by lra. rewrite sqrt_square by (apply pow2_ge_0). reflexivity.
Qed.

Lemma scale_pos N : (1 <= N)%nat -> 0 < scale (/ INR N).
Proof.
  intros L. apply sqrt_lt_R0. apply Rdiv_lt_0_compat; [|lra]. apply Rinv_0_lt_compat, lt_0_INR; lia.
Qed.

Lemma ad_square N k : (1 <= N)%nat -> ad N k = scale (/ INR N) * INR (frequency N k) ^ 2.
Proof. intros L. apply sqrt_fourth. left. apply Rinv_0_lt_compat, lt_0_INR; lia. Qed.

Lemma fd_square N h k : (1 <= N)%nat ->
  fd N h k = scale (/ INR N) * (2 * sin (INR (frequency N k) * h / 2) / h) ^ 2.
Proof. intros L. apply sqrt_fourth. left. apply Rinv_0_lt_compat, lt_0_INR; lia. Qed.

Lemma frequency_range N k : (k < 2 * N)%nat -> (1 <= frequency N k <= N)%nat.
Proof.
  intros L. unfold frequency. assert (k / 2 < N)%nat by (apply Nat.div_lt_upper_bound; lia). lia.
Qed.

(** The next value has the same frequency, or the next lower one. *)
Lemma frequency_next N k : (S k < 2 * N)%nat ->
  frequency N (S k) = frequency N k \/ (frequency N k = S (frequency N (S k)) /\ (1 <= frequency N (S k) < N)%nat).
Proof.
  intros L. unfold frequency. pose proof (Nat.div_lt_upper_bound (S k) 2 N ltac:(lia) ltac:(lia)) as U.
  assert (S k / 2 = k / 2 \/ S k / 2 = S (k / 2))%nat as [E|E]; [|left; lia|right; lia].
  pose proof (Nat.div_mod_eq k 2). pose proof (Nat.div_mod_eq (S k) 2).
  pose proof (Nat.mod_upper_bound k 2 ltac:(lia)). pose proof (Nat.mod_upper_bound (S k) 2 ltac:(lia)). lia.
Qed.

Section Circle.

Variable N : nat.
Variable h : R.
Hypothesis one : (1 <= N)%nat.
Hypothesis step : 0 < h <= 2 * PI / (2 * INR N - 1).
Hypothesis period : h < 2 * PI.

Let t := h / 2.

Lemma step_bounds : 1 <= INR N /\ 0 < t < PI /\ (2 * INR N - 1) * t <= PI.
Proof using one step period.
  assert (1 <= INR N) as A by (apply (le_INR 1); exact one). destruct step as [B C].
  assert ((2 * INR N - 1) * t <= PI) as D.
  { apply (Rmult_le_compat_r ((2 * INR N - 1) / 2)) in C; [|lra]. unfold t.
    replace (2 * PI / (2 * INR N - 1) * ((2 * INR N - 1) / 2)) with PI in C by (field; lra). lra. }
  repeat split; auto; unfold t in *; lra.
Qed.

Lemma sine_pos n : (1 <= n <= N)%nat -> 0 < sin (INR n * t).
Proof using one step period.
  destruct step_bounds as [A [B C]]. intros [L M]. apply le_INR in L, M. simpl in L.
  assert (INR N * t < PI).
  { destruct (Nat.eq_dec N 1) as [->|E]; [simpl; lra|].
    assert (2 <= INR N) by (apply (le_INR 2); lia). nra. }
  apply sin_gt_0; nra.
Qed.

Lemma ad_positive : positive (ad N) (2 * N).
Proof using one.
  intros k Hk. rewrite ad_square by lia. apply Rmult_lt_0_compat; [apply scale_pos; lia|].
  apply pow_lt, lt_0_INR. pose proof (frequency_range N k Hk); lia.
Qed.

Lemma symbol_pos n : (1 <= n <= N)%nat -> 0 < 2 * sin (INR n * h / 2) / h.
Proof using one step period.
  intros L. apply Rdiv_lt_0_compat; [|lra]. replace (INR n * h / 2) with (INR n * t) by (unfold t; field).
  pose proof (sine_pos n L); lra.
Qed.

Lemma fd_positive : positive (fd N h) (2 * N).
Proof using one step period.
  intros k Hk. rewrite fd_square by lia. apply Rmult_lt_0_compat; [apply scale_pos; lia|].
  apply pow_lt, symbol_pos, frequency_range, Hk.
Qed.

Lemma ad_descending : descending (ad N) (2 * N).
Proof using one.
  intros k Hk. rewrite !ad_square by lia. apply Rmult_le_compat_l; [left; apply scale_pos; lia|].
  apply pow_incr. split; [apply pos_INR|]. apply le_INR.
  destruct (frequency_next N k Hk) as [->|[-> _]]; lia.
Qed.

Lemma fd_descending : descending (fd N h) (2 * N).
Proof using one step period.
  intros k Hk. rewrite !fd_square by lia. apply Rmult_le_compat_l; [left; apply scale_pos; lia|].
  destruct (frequency_next N k Hk) as [->|[E [L M]]]; [lra|]. rewrite E. set (n := frequency N (S k)) in *.
  apply pow_incr. split; [left; apply symbol_pos; lia|].
  destruct step_bounds as [A [B C]]. assert (INR n + 1 <= INR N) as U by (rewrite <- S_INR; apply le_INR; lia).
  pose proof (pos_INR n) as Pn. pose proof (sine_rises t n ltac:(lra) ltac:(nra)) as T. rewrite S_INR.
  replace (INR n * h / 2) with (INR n * t) by (unfold t; field).
  replace ((INR n + 1) * h / 2) with ((INR n + 1) * t) by (unfold t; field).
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra | lra].
Qed.

Lemma circle_ratio_rises : ratio_rises (ad N) (fd N h) (2 * N).
Proof using one step period.
  intros k Hk. rewrite !fd_square, !ad_square by lia. pose proof (scale_pos N ltac:(lia)) as S0.
  destruct (frequency_next N k Hk) as [->|[E [L M]]]; [lra|]. rewrite E. set (n := frequency N (S k)) in *.
  destruct step_bounds as [A [B C]]. assert (INR n + 1 <= INR N) as U by (rewrite <- S_INR; apply le_INR; lia).
  assert (1 <= INR n) as Pn by (apply (le_INR 1); lia). assert (t <= PI / 2) as B' by nra.
  pose proof (sine_ratio t n ltac:(lra) ltac:(nra)) as T. rewrite S_INR.
  pose proof (sine_pos n ltac:(lia)) as Q. pose proof (sine_pos (S n) ltac:(lia)) as Q'. rewrite S_INR in Q'.
  replace (INR n * h / 2) with (INR n * t) by (unfold t; field).
  replace ((INR n + 1) * h / 2) with ((INR n + 1) * t) by (unfold t; field).
  assert (0 < h) as Hh by lra.
  assert (forall s m, 0 < m -> scale (/ INR N) * (2 * s / h) ^ 2 / (scale (/ INR N) * m ^ 2) = (s / m * (2 / h)) ^ 2) as F.
  { intros s m Hm. field. repeat split; lra. }
  rewrite !F by lra. apply pow_incr. split.
  - left. apply Rmult_lt_0_compat; apply Rdiv_lt_0_compat; lra.
  - apply Rmult_le_compat_r; [left; apply Rdiv_lt_0_compat; lra|].
    apply (Rmult_le_reg_r (INR n * (INR n + 1))); [nra|].
    replace (sin ((INR n + 1) * t) / (INR n + 1) * (INR n * (INR n + 1))) with (INR n * sin ((INR n + 1) * t)) by (field; lra).
    replace (sin (INR n * t) / INR n * (INR n * (INR n + 1))) with ((INR n + 1) * sin (INR n * t)) by (field; lra). exact T.
Qed.

End Circle.

(** solvable.uniform-circle. For frequencies uniform on 1, ..., N, every h in (0, 2 pi / (2 N - 1)], every power q > 0 and every
    fixed, relative or energy rule: the truncated entropies, not normalised, satisfy H_FD >= H_AD (and both are those of at
    least one value, FD keeping no fewer than AD). The hypothesis h < 2 pi only leaves out N = 1 with h = 2 pi, where the FD
    spectrum vanishes and has no entropy. *)
Theorem uniform_circle N h q cut : (1 <= N)%nat -> 0 < h <= 2 * PI / (2 * INR N - 1) -> h < 2 * PI -> 0 < q ->
  allowed cut -> scale_free cut ->
  (1 <= cutoff cut q (ad N) (2 * N) <= cutoff cut q (fd N h) (2 * N))%nat /\
  truncated_entropy cut q (ad N) (2 * N) <= truncated_entropy cut q (fd N h) (2 * N).
Proof.
  intros One Step Period Q A F.
  apply ratio_order_truncated; auto using ad_positive, fd_positive, ad_descending, fd_descending, circle_ratio_rises. lia.
Qed.

(** In the corner left out the FD spectrum is zero. *)
Lemma vanishing k : (k < 2)%nat -> fd 1 (2 * PI) k = 0.
Proof.
  intros Hk. rewrite fd_square by lia. replace (frequency 1 k) with 1%nat.
  - simpl INR. replace (1 * (2 * PI) / 2) with PI by field. rewrite sin_PI. pose proof PI_RGT_0. field. lra.
  - unfold frequency. replace (k / 2)%nat with 0%nat; [reflexivity|]. symmetry; apply Nat.div_small; exact Hk.
Qed.
