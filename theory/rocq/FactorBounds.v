(** * Entropies under factors of the singular values

    What is proved: where d_min sigma_k <= sigma'_k <= d_max sigma_k for every k < r (as the sine factorisation gives it, d_min
    and d_max the least and the greatest modulus of the symbol), the ratios of the probabilities lie in [1/rho, rho],
    rho = (d_max / d_min)^q; and two bounds on the difference of the entropies that need no norm of a matrix.

    The arguments are ours; the second bound goes through the continuity bound of EntropyBounds.v. *)

From Coq Require Import Reals Lra Lia Arith Bool.
From adfd Require Import Entropy Majorisation EntropyBounds.
Open Scope R_scope.

(** ** The continuity bound with an upper bound in the place of T *)

(** T ln(r - 1) + h2(T) up to T = 1 - 1/r, where it is ln r, and ln r beyond. *)
Definition continuity_bound (t : R) (r : nat) : R :=
  if Rle_dec t (1 - / INR r) then t * ln (INR r - 1) + binary_entropy t else ln (INR r).

(** Gibbs's inequality for two pairs (t, 1 - t) and (u, 1 - u). *)
Lemma binary_gibbs t u : 0 <= t < 1 -> 0 < u < 1 -> binary_entropy t <= - t * ln u - (1 - t) * ln (1 - u).
Proof.
  intros T U. unfold binary_entropy. pose proof (gibbs_term (1 - t) (1 - u) ltac:(lra) ltac:(lra)) as B.
  destruct (Req_dec t 0) as [->|N].
  - assert (ln (1 - u) <= 0) by (rewrite <- ln_1; apply ln_le_compat; lra). rewrite Rminus_0_r, ln_1 in *. lra.
  - pose proof (gibbs_term t u ltac:(lra) ltac:(lra)) as A. lra.
Qed.

(** The bound grows with T. *)
Lemma continuity_monotone s t r : (2 <= r)%nat -> 0 <= s <= t -> t <= 1 - / INR r ->
  s * ln (INR r - 1) + binary_entropy s <= t * ln (INR r - 1) + binary_entropy t.
Proof.
  intros L S T. assert (2 <= INR r) as R2 by (apply (le_INR 2); exact L).
  assert (0 < / INR r) as I0 by (apply Rinv_0_lt_compat; lra).
  destruct (Req_dec t 0) as [->|N]; [replace s with 0 by lra; lra|].
  pose proof (binary_gibbs s t ltac:(lra) ltac:(lra)) as G.
  assert (ln t <= ln (INR r - 1) + ln (1 - t)) as D.
  { rewrite <- ln_mult by lra. apply ln_le_compat; [lra|].
    apply (Rmult_le_compat_l (INR r)) in T; [|lra].
    replace (INR r * (1 - / INR r)) with (INR r - 1) in T by (field; lra). lra. }
  unfold binary_entropy in *. nra.
Qed.

(** |H - H'| <= the continuity bound at every t >= T. *)
Theorem continuity q sigma sigma' r t : positive sigma r -> positive sigma' r -> (2 <= r)%nat ->
  total_variation (probability q sigma r) (probability q sigma' r) r <= t ->
  Rabs (H q sigma r - H q sigma' r) <= continuity_bound t r.
Proof.
  intros P P' L T. unfold continuity_bound. destruct Rle_dec as [B|B].
  - apply Rle_trans with (1 := fannes_audenaert q sigma sigma' r P P' L).
    apply continuity_monotone; auto. split; auto. unfold total_variation.
    apply Rmult_le_pos; [|lra]. apply sum_nonneg. intros; apply Rabs_pos.
  - pose proof (range q sigma r P ltac:(lia)). pose proof (range q sigma' r P' ltac:(lia)). apply Rabs_le. lra.
Qed.

(** ** Bounded factors *)

Section Factors.

Variables (q dmin dmax : R) (sigma sigma' : nat -> R) (r : nat).
Hypothesis q_pos : 0 < q.
Hypothesis d_pos : 0 < dmin.
Hypothesis r_pos : (1 <= r)%nat.
Hypothesis P : positive sigma r.
Hypothesis bounds : forall k, (k < r)%nat -> dmin * sigma k <= sigma' k <= dmax * sigma k.

Let rho := Rpower (dmax / dmin) q.
Let p := probability q sigma r.
Let p' := probability q sigma' r.
Let w k := power q (sigma k).
Let w' k := power q (sigma' k).
Let a := power q dmin.
Let b := power q dmax.

Lemma d_order : dmin <= dmax.
Proof using d_pos r_pos P bounds.
  pose proof (P O ltac:(lia)) as S. pose proof (bounds O ltac:(lia)) as B. apply (Rmult_le_reg_r (sigma O)); lra.
Qed.

Lemma positive' : positive sigma' r.
Proof using d_pos P bounds.
  intros k Hk. pose proof (P k Hk) as S. pose proof (bounds k Hk) as B.
  pose proof (Rmult_lt_0_compat _ _ d_pos S). lra.
Qed.

Lemma rho_ratio : rho = b / a.
Proof using d_pos r_pos P bounds.
  unfold rho, a, b. pose proof d_order. rewrite power_div by lra. rewrite power_Rpower; [reflexivity|].
  apply Rdiv_lt_0_compat; lra.
Qed.

Lemma a_pos : 0 < a. Proof using d_pos. apply power_pos, d_pos. Qed.
Lemma b_pos : 0 < b. Proof using d_pos r_pos P bounds. apply power_pos. pose proof d_order; lra. Qed.

Lemma weights : forall k, (k < r)%nat -> 0 < w k /\ a * w k <= w' k <= b * w k.
Proof using q_pos d_pos r_pos P bounds.
  intros k Hk. pose proof (P k Hk) as S. pose proof (bounds k Hk) as B. pose proof d_order as D.
  pose proof (Rmult_lt_0_compat _ _ d_pos S) as C. unfold a, b, w, w'. split; [apply power_pos; exact S|].
  rewrite <- !power_scale by lra. split; apply power_le; lra.
Qed.

Lemma totals : 0 < sum w r /\ 0 < sum w' r /\ a * sum w r <= sum w' r <= b * sum w r.
Proof using q_pos d_pos r_pos P bounds.
  repeat split.
  - apply sum_pos; [|lia]. intros k Hk. apply weights; exact Hk.
  - apply sum_pos; [|lia]. intros k Hk. apply power_pos, positive', Hk.
  - rewrite <- sum_scal. apply sum_le. intros k Hk. apply weights; exact Hk.
  - rewrite <- sum_scal. apply sum_le. intros k Hk. apply weights; exact Hk.
Qed.

(** p'_k <= rho p_k and p_k <= rho p'_k. *)
Lemma probability_ratio k : (k < r)%nat -> p' k <= rho * p k /\ p k <= rho * p' k.
Proof using q_pos d_pos r_pos P bounds.
  intros Hk. destruct totals as [W [W' [A B]]]. destruct (weights k Hk) as [Wk [Ak Bk]].
  pose proof a_pos as Ap. pose proof b_pos as Bp. rewrite rho_ratio. unfold p, p', probability.
  change (fun j => power q (sigma j)) with w. change (fun j => power q (sigma' j)) with w'.
  change (power q (sigma k)) with (w k). change (power q (sigma' k)) with (w' k).
  assert (w' k * (a * sum w r) <= b * w k * sum w' r) as X by (apply Rmult_le_compat; nra).
  assert (a * w k * sum w' r <= w' k * (b * sum w r)) as Y by (apply Rmult_le_compat; nra).
  split; apply (Rmult_le_reg_r (sum w r * sum w' r * a)); try (repeat apply Rmult_lt_0_compat; assumption).
  - replace (w' k / sum w' r * (sum w r * sum w' r * a)) with (w' k * (a * sum w r)) by (field; lra).
    replace (b / a * (w k / sum w r) * (sum w r * sum w' r * a)) with (b * w k * sum w' r) by (field; lra). exact X.
  - replace (w k / sum w r * (sum w r * sum w' r * a)) with (a * w k * sum w' r) by (field; lra).
    replace (b / a * (w' k / sum w' r) * (sum w r * sum w' r * a)) with (w' k * (b * sum w r)) by (field; lra). exact Y.
Qed.

Lemma rho_ge_1 : 1 <= rho.
Proof using q_pos d_pos r_pos P bounds.
  rewrite rho_ratio. pose proof a_pos. apply (Rmult_le_reg_r a); auto. field_simplify; [|lra].
  pose proof d_order. apply power_le; auto.
Qed.

(** The logarithm of every ratio is at most q ln(d_max / d_min) in modulus. *)
Lemma log_ratio k : (k < r)%nat -> Rabs (ln (p' k / p k)) <= q * ln (dmax / dmin).
Proof using q_pos d_pos r_pos P bounds.
  intros Hk. destruct (probability_ratio k Hk) as [A B].
  assert (0 < p k) as Pp by (apply probability_pos; auto).
  assert (0 < p' k) as Pp' by (apply probability_pos; auto using positive').
  replace (q * ln (dmax / dmin)) with (ln rho) by (unfold rho; apply ln_Rpower).
  pose proof rho_ge_1. rewrite ln_div by auto. apply ln_le_compat in A; auto. apply ln_le_compat in B; auto.
  rewrite ln_mult in A, B by lra. apply Rabs_le. lra.
Qed.

End Factors.

(** entropy.factor-bound, the ratios. *)
Theorem factor_ratios q dmin dmax sigma sigma' r : 0 < q -> 0 < dmin -> positive sigma r ->
  (forall k, (k < r)%nat -> dmin * sigma k <= sigma' k <= dmax * sigma k) ->
  forall k, (k < r)%nat -> Rabs (ln (probability q sigma' r k / probability q sigma r k)) <= q * ln (dmax / dmin).
Proof. intros Q D P B k Hk. apply log_ratio; auto; lia. Qed.

(** ** The first bound: by the ratio of the entropies *)

(** If p' <= rho p then H' <= rho H: the entropy of p' is at most the cross entropy -(sum of p' ln p). *)
Lemma entropy_ratio p p' r rho : positive p r -> positive p' r -> sum p r = 1 -> sum p' r = 1 -> 
  (forall k, (k < r)%nat -> p' k <= rho * p k) -> shannon p' r <= rho * shannon p r.
Proof.
  intros P P' E E' B. pose proof (gibbs p' p r P' P ltac:(lra)) as G. unfold shannon.
  assert (sum (fun k => p' k * - ln (p k)) r <= sum (fun k => rho * (p k * - ln (p k))) r) as C.
  { apply sum_le. intros k Hk. rewrite <- Rmult_assoc. apply Rmult_le_compat_r; [|apply B; exact Hk].
    assert (p k <= 1) as U.
    { rewrite <- E, (sum_without p r k Hk).
      enough (0 <= sum (fun j => if Nat.eqb j k then 0 else p j) r) by lra.
      apply sum_nonneg. intros j Hj. destruct (Nat.eqb j k); [lra | left; apply P; exact Hj]. }
    assert (ln (p k) <= 0) by (rewrite <- ln_1; apply ln_le_compat; auto). lra. }
  rewrite sum_scal in C.
  rewrite (sum_ext (fun k => p' k * - ln (p k)) (fun k => -1 * (p' k * ln (p k)))) in C by (intros; ring).
  rewrite (sum_ext (fun k => p k * - ln (p k)) (fun k => -1 * (p k * ln (p k)))) in C by (intros; ring).
  rewrite !sum_scal in C. lra.
Qed.

Theorem factor_bound_ratio q dmin dmax sigma sigma' r : 0 < q -> 0 < dmin -> (1 <= r)%nat -> positive sigma r ->
  (forall k, (k < r)%nat -> dmin * sigma k <= sigma' k <= dmax * sigma k) ->
  Rabs (H q sigma' r - H q sigma r) <= (Rpower (dmax / dmin) q - 1) * Rmin (H q sigma r) (H q sigma' r).
Proof.
  intros Q D L P B. pose proof (positive' dmin dmax sigma sigma' r D P B) as P'.
  pose proof (probability_ratio q dmin dmax sigma sigma' r Q D L P B) as R. set (rho := Rpower (dmax / dmin) q) in *.
  assert (H q sigma' r <= rho * H q sigma r) as X.
  { apply entropy_ratio; auto using probability_pos, sum_probability. intros k Hk; apply R; exact Hk. }
  assert (H q sigma r <= rho * H q sigma' r) as Y.
  { apply entropy_ratio; auto using probability_pos, sum_probability. intros k Hk; apply R; exact Hk. }
  pose proof (rho_ge_1 q dmin dmax sigma sigma' r Q D L P B) as Rh. fold rho in Rh.
  unfold Rmin. destruct Rle_dec as [M|M].
  - rewrite Rabs_pos_eq; lra.
  - rewrite Rabs_left1; lra.
Qed.

(** ** The second bound: by continuity *)

(** For 0 < l < 1 and an odds ratio of at most s^2: l' - l <= (s - 1) / (s + 1). *)
Lemma odds l l' s : 0 <= l <= 1 -> 0 <= l' <= 1 -> 1 <= s -> l' * (1 - l) <= s ^ 2 * (l * (1 - l')) -> l' - l <= (s - 1) / (s + 1).
Proof.
  intros L L' S O. apply (Rmult_le_reg_r (s + 1)); [lra|].
  replace ((s - 1) / (s + 1) * (s + 1)) with (s - 1) by (field; lra).
  assert (0 < 1 - l + s ^ 2 * l \/ 1 - l + s ^ 2 * l <= 0) as [C|C] by lra; [|nra].
  apply (Rmult_le_reg_r (1 - l + s ^ 2 * l)); auto.
  (* l' (1 - l + s^2 l) <= s^2 l, and the rest is the square of 1 - l (s + 1) *)
  assert (l' * (1 - l + s ^ 2 * l) <= s ^ 2 * l) as A by nra.
  assert (0 <= (s - 1) * (1 - l * (s + 1)) ^ 2) as Sq by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
  nra.
Qed.

Lemma total_variation_factors p p' r alpha beta s : (forall k, (k < r)%nat -> 0 <= p k) -> sum p r = 1 -> sum p' r = 1 ->
  0 < alpha -> 1 <= s -> beta = s ^ 2 * alpha -> (forall k, (k < r)%nat -> alpha * p k <= p' k <= beta * p k) ->
  total_variation p p' r <= (s - 1) / (s + 1).
Proof.
  intros P E E' A S B F. pose (i := fun k => if Rlt_dec (p k) (p' k) then 1 else 0).
  set (l := sum (fun k => i k * p k) r). set (l' := sum (fun k => i k * p' k) r).
  assert (forall f, sum (fun k => (1 - i k) * f k) r = sum f r - sum (fun k => i k * f k) r) as C.
  { intros f. rewrite <- sum_minus. apply sum_ext. intros k _. ring. }
  assert (forall k, i k = 0 \/ i k = 1) as I by (intros k; unfold i; destruct Rlt_dec; auto).
  assert (forall k, (k < r)%nat -> 0 <= p' k) as P'.
  { intros k Hk. pose proof (P k Hk). pose proof (F k Hk). assert (0 <= alpha * p k) by nra. lra. }
  assert (0 <= l <= 1) as L.
  { unfold l. split; [apply sum_nonneg|rewrite <- E; apply sum_le];
      intros k Hk; pose proof (P k Hk); destruct (I k) as [-> | ->]; lra. }
  assert (0 <= l' <= 1) as L'.
  { unfold l'. split; [apply sum_nonneg|rewrite <- E'; apply sum_le];
      intros k Hk; pose proof (P' k Hk); destruct (I k) as [-> | ->]; lra. }
  assert (total_variation p p' r = l' - l) as T.
  { unfold total_variation. rewrite (sum_ext _ (fun k => (i k * p' k - i k * p k) + ((1 - i k) * p k - (1 - i k) * p' k))).
    - rewrite sum_plus, !sum_minus, !C, E, E'. fold l l'. field.
    - intros k _. unfold i. destruct Rlt_dec as [D|D]; [rewrite Rabs_left1 | rewrite Rabs_pos_eq]; lra. }
  rewrite T. apply odds; auto.
  assert (l' <= beta * l) as U.
  { unfold l, l'. rewrite <- sum_scal. apply sum_le. intros k Hk. pose proof (F k Hk). destruct (I k) as [-> | ->]; lra. }
  assert (alpha * (1 - l) <= 1 - l') as V.
  { unfold l, l'. rewrite <- E at 1. rewrite <- E'. rewrite <- !C, <- sum_scal. apply sum_le.
    intros k Hk. pose proof (F k Hk). destruct (I k) as [-> | ->]; lra. }
  apply (Rmult_le_reg_l alpha); auto.
  apply Rle_trans with (l' * (1 - l')); [nra|].
  apply Rle_trans with (beta * l * (1 - l')); [nra|]. subst beta. lra.
Qed.

(** T <= (sqrt rho - 1) / (sqrt rho + 1), rho = (d_max / d_min)^q. *)
Theorem factor_distance q dmin dmax sigma sigma' r : 0 < q -> 0 < dmin -> (1 <= r)%nat -> positive sigma r ->
  (forall k, (k < r)%nat -> dmin * sigma k <= sigma' k <= dmax * sigma k) ->
  let s := sqrt (Rpower (dmax / dmin) q) in
  total_variation (probability q sigma r) (probability q sigma' r) r <= (s - 1) / (s + 1).
Proof.
  intros Q D L P B s. pose proof (positive' dmin dmax sigma sigma' r D P B) as P'.
  pose proof (totals q dmin dmax sigma sigma' r Q D L P B) as [W [W' _]]. cbv beta in W, W'.
  set (S := sum (fun k => power q (sigma k)) r) in *. set (S' := sum (fun k => power q (sigma' k)) r) in *.
  pose proof (rho_ge_1 q dmin dmax sigma sigma' r Q D L P B) as Rh.
  pose proof (rho_ratio q dmin dmax sigma sigma' r D L P B) as Rr.
  pose proof (a_pos q dmin D) as Ap.
  apply (total_variation_factors _ _ r (power q dmin * (S / S')) (power q dmax * (S / S'))).
  - intros k Hk. left. apply probability_pos; auto.
  - apply sum_probability; auto.
  - apply sum_probability; auto.
  - apply Rmult_lt_0_compat; auto. apply Rdiv_lt_0_compat; auto.
  - unfold s. rewrite <- sqrt_1. apply sqrt_le_1_alt. exact Rh.
  - unfold s. simpl. rewrite Rmult_1_r, sqrt_sqrt, Rr by lra. field. split; lra.
  - intros k Hk. destruct (weights q dmin dmax sigma sigma' r Q D L P B k Hk) as [Wk [X Y]].
    unfold probability. fold S S'. assert (0 < / S') as I by (apply Rinv_0_lt_compat; auto).
    apply (Rmult_le_compat_r (/ S')) in X; [|lra]. apply (Rmult_le_compat_r (/ S')) in Y; [|lra].
    replace (power q dmin * (S / S') * (power q (sigma k) / S)) with (power q dmin * power q (sigma k) * / S') by (field; lra).
    replace (power q dmax * (S / S') * (power q (sigma k) / S)) with (power q dmax * power q (sigma k) * / S') by (field; lra).
    split; assumption.
Qed.

Theorem factor_bound_continuity q dmin dmax sigma sigma' r : 0 < q -> 0 < dmin -> (2 <= r)%nat -> positive sigma r ->
  (forall k, (k < r)%nat -> dmin * sigma k <= sigma' k <= dmax * sigma k) ->
  let s := sqrt (Rpower (dmax / dmin) q) in
  Rabs (H q sigma r - H q sigma' r) <= continuity_bound ((s - 1) / (s + 1)) r.
Proof.
  intros Q D L P B s. apply continuity; auto; [apply (positive' dmin dmax sigma); auto|].
  apply factor_distance; auto; lia.
Qed.
