(** * One-sided differences amplify: the suprema of |m| for three forward differences

    With y = sin^2(theta / 2) the square of the numerator |sum_k c_k e^{i s_k theta}|^2 is (4 y)^m R(y), R a polynomial;
    near 0 one uses 4 y <= theta^2, from 3 on the size of the numerator, and between them interval arithmetic. *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From adfd Require Import Stencils SineFactorisation MultipleAngles CentralSymbols Composition.
Import ListNotations.
Open Scope R_scope.

(** The forward differences of order 2 of the first derivative, and of orders 2 and 4 of the second. *)
Definition forward_1_2 : stencil := [(0, -3 / 2); (1, 2); (2, - (1 / 2))].
Definition forward_2_2 : stencil := [(0, 2); (1, -5); (2, 4); (3, -1)].
Definition forward_2_4 : stencil :=
  [(0, 15 / 4); (1, - (77 / 6)); (2, 107 / 6); (3, -13); (4, 61 / 12); (5, - (5 / 6))].

Lemma forward_orders : order_conditions 1 2 forward_1_2 /\ order_conditions 2 2 forward_2_2 /\ order_conditions 2 4 forward_2_4.
Proof.
repeat split; intros n H; simpl in H;
  do 6 (destruct n as [|n]; [try lia; unfold moment, wsum, node, weight; simpl; lra |]); lia.
Qed.

(** The set of the moduli of the symbol on the real line without 0. *)
Definition moduli (m : nat) (S : stencil) (r : R) : Prop := exists theta, theta <> 0 /\ r = Cmod (symbolC m S theta).

(** ** The modulus from the numerator *)

Definition numerator2 (S : stencil) (theta : R) : R :=
  wsum S (fun s => cos (s * theta)) * wsum S (fun s => cos (s * theta))
  + wsum S (fun s => sin (s * theta)) * wsum S (fun s => sin (s * theta)).

Lemma Cmod_Cpower z n : Cmod (Cpower z n) = Cmod z ^ n.
Proof. induction n as [|n IH]; simpl; [apply Cmod_1 | now rewrite Cmod_mult, IH]. Qed.

Lemma modulus_square m S theta : theta <> 0 -> Cmod (symbolC m S theta) ^ 2 = numerator2 S theta / theta ^ (2 * m).
Proof.
intros Ht. unfold symbolC.
assert (Hz : Cmult Ci (RtoC theta) <> RtoC 0).
{ apply Cmult_neq_0; [exact Ci_neq_0|]. intros H. apply Ht. now apply RtoC_inj in H. }
rewrite Cmod_div by now apply Cpower_neq_0.
rewrite Cmod_Cpower, Cmod_mult, Cmod_R. replace (Cmod Ci) with 1.
2: { unfold Cmod, Ci; simpl. replace (0 * (0 * 1) + 1 * (1 * 1)) with 1 by ring. now rewrite sqrt_1. }
rewrite Rmult_1_l, wsumC_parts. unfold Rdiv. rewrite Rpow_mult_distr, pow_inv. f_equal.
- unfold Cmod; simpl fst; simpl snd. rewrite pow2_sqrt by (apply Rplus_le_le_0_compat; apply pow2_ge_0).
  unfold numerator2. ring.
- f_equal. rewrite RPow_abs, pow2_abs, <- pow_mult. f_equal. lia.
Qed.

(** From a bound of the numerator to one of the supremum. *)
Lemma supremum_between m S low high at_theta : 0 < at_theta -> 0 <= low -> 0 < high ->
  (forall theta, 0 < theta -> numerator2 S theta <= high ^ 2 * theta ^ (2 * m)) ->
  low ^ 2 * at_theta ^ (2 * m) <= numerator2 S at_theta ->
  exists sup, is_lub (moduli m S) sup /\ low <= sup <= high.
Proof.
intros Hat Hl Hh Hup Hlow.
assert (Hpos : forall theta, theta <> 0 -> 0 < theta ^ (2 * m)).
{ intros theta Ht. rewrite pow_mult. apply pow_lt. rewrite <- Rsqr_pow2. now apply Rsqr_pos_lt. }
assert (Heven : forall theta, numerator2 S theta = numerator2 S (Rabs theta)).
{ intros theta. unfold Rabs. destruct (Rcase_abs theta); [|reflexivity]. unfold numerator2.
  rewrite (wsum_ext_all S (fun s => cos (s * - theta)) (fun s => cos (s * theta))).
  2: { intros s. rewrite Ropp_mult_distr_r_reverse. apply cos_neg. }
  rewrite (wsum_ext_all S (fun s => sin (s * - theta)) (fun s => -1 * sin (s * theta))).
  2: { intros s. rewrite Ropp_mult_distr_r_reverse, sin_neg. ring. }
  rewrite wsum_scal. ring. }
assert (Hbound : is_upper_bound (moduli m S) high).
{ intros r (theta & Ht & ->). apply Rsqr_incr_0; [|apply Cmod_ge_0|lra].
  rewrite !Rsqr_pow2, modulus_square by exact Ht. apply Rle_div_l; [now apply Hpos|].
  replace (theta ^ (2 * m)) with (Rabs theta ^ (2 * m)) by (rewrite !pow_mult, pow2_abs; reflexivity).
  rewrite Heven. apply Hup. now apply Rabs_pos_lt. }
assert (Hne : exists r, moduli m S r) by (exists (Cmod (symbolC m S at_theta)), at_theta; split; [lra | reflexivity]).
destruct (completeness (moduli m S)) as [sup Hsup]; [now exists high | exact Hne |].
exists sup. split; [exact Hsup|]. split; [|now apply Hsup].
apply Rle_trans with (Cmod (symbolC m S at_theta)).
- apply Rsqr_incr_0; [|exact Hl|apply Cmod_ge_0]. rewrite !Rsqr_pow2, modulus_square by lra.
  apply (Rle_div_r (low ^ 2) (numerator2 S at_theta)); [apply Hpos; lra | exact Hlow].
- apply Hsup. exists at_theta. split; [lra | reflexivity].
Qed.

(** ** The numerators as polynomials *)

Lemma cos_sin_2 t : cos (2 * t) = cos t * cos t - sin t * sin t /\ sin (2 * t) = 2 * cos t * sin t.
Proof. replace (2 * t) with (t + t) by ring. rewrite cos_plus, sin_plus. split; ring. Qed.
Lemma cos_sin_3 t : cos (3 * t) = cos t ^ 3 - 3 * cos t * sin t ^ 2 /\ sin (3 * t) = 3 * cos t ^ 2 * sin t - sin t ^ 3.
Proof.
replace (3 * t) with (2 * t + t) by ring. rewrite cos_plus, sin_plus. destruct (cos_sin_2 t) as [-> ->]. split; ring.
Qed.
Lemma cos_sin_4 t : cos (4 * t) = cos t ^ 4 - 6 * cos t ^ 2 * sin t ^ 2 + sin t ^ 4
  /\ sin (4 * t) = 4 * cos t ^ 3 * sin t - 4 * cos t * sin t ^ 3.
Proof.
replace (4 * t) with (3 * t + t) by ring. rewrite cos_plus, sin_plus. destruct (cos_sin_3 t) as [-> ->]. split; ring.
Qed.
Lemma cos_sin_5 t : cos (5 * t) = cos t ^ 5 - 10 * cos t ^ 3 * sin t ^ 2 + 5 * cos t * sin t ^ 4
  /\ sin (5 * t) = 5 * cos t ^ 4 * sin t - 10 * cos t ^ 2 * sin t ^ 3 + sin t ^ 5.
Proof.
replace (5 * t) with (4 * t + t) by ring. rewrite cos_plus, sin_plus. destruct (cos_sin_4 t) as [-> ->]. split; ring.
Qed.

Ltac open_numerator :=
  unfold numerator2, forward_1_2, forward_2_2, forward_2_4, wsum, node, weight; simpl fst; simpl snd;
  rewrite ?Rmult_0_l, ?cos_0, ?sin_0, ?(proj1 (cos_sin_2 _)), ?(proj2 (cos_sin_2 _)), ?(proj1 (cos_sin_3 _)),
    ?(proj2 (cos_sin_3 _)), ?(proj1 (cos_sin_4 _)), ?(proj2 (cos_sin_4 _)), ?(proj1 (cos_sin_5 _)),
    ?(proj2 (cos_sin_5 _)), ?Rmult_1_l.

Lemma unit_circle t : sin t * sin t + cos t * cos t - 1 = 0.
Proof. pose proof (sin2_cos2 t) as H. unfold Rsqr in H. lra. Qed.

Lemma y_from_cos t : y_of t = (1 - cos t) / 2.
Proof. rewrite cos_y. field. Qed.

Lemma numerator_1_2 t : numerator2 forward_1_2 t = 4 * y_of t * (3 * y_of t + 1).
Proof.
open_numerator. rewrite y_from_cos. pose proof (unit_circle t) as H.
set (u := cos t) in *. set (v := sin t) in *.
transitivity (4 * ((1 - u) / 2) * (3 * ((1 - u) / 2) + 1)
              + (v * v + u * u - 1) * (u^2/4 - 2*u + v^2/4 + 11/4)); [field | rewrite H; ring].
Qed.

Lemma numerator_2_2 t : numerator2 forward_2_2 t = 16 * y_of t ^ 2 * (8 * y_of t + 1).
Proof.
open_numerator. rewrite y_from_cos. pose proof (unit_circle t) as H.
set (u := cos t) in *. set (v := sin t) in *.
transitivity (16 * ((1 - u) / 2) ^ 2 * (8 * ((1 - u) / 2) + 1)
              + (v * v + u * u - 1) * (u^4 - 8*u^3 + 2*u^2*v^2 + 27*u^2 - 8*u*v^2 - 36*u + v^4 + 7*v^2 + 16));
  [field | rewrite H; ring].
Qed.

Lemma numerator_2_4 t :
  numerator2 forward_2_4 t = 16 * y_of t ^ 2 * (200 * y_of t ^ 3 - 215 / 9 * y_of t ^ 2 + 2 / 3 * y_of t + 1).
Proof.
open_numerator. rewrite y_from_cos. pose proof (unit_circle t) as H.
set (u := cos t) in *. set (v := sin t) in *.
transitivity (16 * ((1 - u) / 2) ^ 2 * (200 * ((1 - u) / 2) ^ 3 - 215 / 9 * ((1 - u) / 2) ^ 2 + 2 / 3 * ((1 - u) / 2) + 1)
  + (v * v + u * u - 1) * (25*u^8/36 - 305*u^7/36 + 25*u^6*v^2/9 + 6941*u^6/144 - 305*u^5*v^2/12 - 6133*u^5/36
    + 25*u^4*v^4/6 + 4861*u^4*v^2/48 + 20155*u^4/48 - 305*u^3*v^4/12 - 1331*u^3*v^2/6 - 2683*u^3/4 + 25*u^2*v^6/9
    + 927*u^2*v^4/16 + 18917*u^2*v^2/72 + 30413*u^2/48 - 305*u*v^6/36 - 1853*u*v^4/36 - 5579*u*v^2/36 - 11527*u/36
    + 25*v^8/36 + 701*v^6/144 + 2009*v^4/144 + 583*v^2/16 + 9703/144)); [field | rewrite H; ring].
Qed.

(** ** The suprema *)

(** 0 <= 4 y <= theta^2, and y <= 1. *)
Lemma y_bounds t : 0 < t -> 0 <= y_of t <= 1 /\ 4 * y_of t <= t * t.
Proof.
intros Ht. assert (E : even_part 1 2 t = 4 * y_of t) by (unfold even_part; simpl; field).
pose proof (even_upper 1 2 t ltac:(lra)) as H. rewrite E in H. simpl in H.
pose proof (y_nonneg t). rewrite y_from_cos. pose proof (COS_bound t). rewrite y_from_cos in H, H0. lra.
Qed.

Theorem supremum_1_2 : exists sup, is_lub (moduli 1 forward_1_2) sup /\ 1.4905 <= sup <= 1.4915.
Proof.
apply (supremum_between 1 forward_1_2 1.4905 1.4915 2.131); try lra.
- intros t Ht. rewrite numerator_1_2. destruct (y_bounds t Ht) as [[H0 H1] H4]. simpl (t ^ (2 * 1)). set (y := y_of t) in *.
  destruct (Rle_dec t 1) as [Hs | Hs].
  + assert (y <= 1 / 4) by nra. apply Rle_trans with (4 * y * 2); [nra|]. nra.
  + destruct (Rle_dec 3 t) as [Hb | Hb]; [nra|]. subst y. unfold y_of. assert (Ht1 : 1 <= t <= 3) by lra. clear - Ht1.
    apply Rminus_le. interval with (i_bisect t, i_taylor t, i_prec 60, i_depth 20).
- rewrite numerator_1_2. unfold y_of. interval with (i_prec 60).
Qed.

Theorem supremum_2_2 : exists sup, is_lub (moduli 2 forward_2_2) sup /\ 1.8415 <= sup <= 1.8425.
Proof.
apply (supremum_between 2 forward_2_2 1.8415 1.8425 1.825); try lra.
- intros t Ht. rewrite numerator_2_2. destruct (y_bounds t Ht) as [[H0 H1] H4]. simpl (t ^ (2 * 2)). set (y := y_of t) in *.
  assert (Hq : 16 * y ^ 2 <= t * t * (t * t)) by nra.
  destruct (Rle_dec t 1) as [Hs | Hs].
  + assert (y <= 1 / 4) by nra. apply Rle_trans with (16 * y ^ 2 * 3); nra.
  + destruct (Rle_dec 3 t) as [Hb | Hb].
    * assert (9 <= t * t) by nra. assert (81 <= t * t * (t * t)) by nra. apply Rle_trans with 144; nra.
    * subst y. unfold y_of. assert (Ht1 : 1 <= t <= 3) by lra. clear - Ht1. apply Rminus_le. interval with (i_bisect t, i_taylor t, i_prec 60, i_depth 20).
- rewrite numerator_2_2. unfold y_of. interval with (i_prec 60).
Qed.

Theorem supremum_2_4 : exists sup, is_lub (moduli 2 forward_2_4) sup /\ 6.5355 <= sup <= 6.5365.
Proof.
apply (supremum_between 2 forward_2_4 6.5355 6.5365 2.546); try lra.
- intros t Ht. rewrite numerator_2_4. destruct (y_bounds t Ht) as [[H0 H1] H4]. simpl (t ^ (2 * 2)). set (y := y_of t) in *.
  assert (Hq : 16 * y ^ 2 <= t * t * (t * t)) by nra.
  destruct (Rle_dec t 1) as [Hs | Hs].
  + assert (y <= 1 / 4) by nra. set (P := 200 * y ^ 3 - 215 / 9 * y ^ 2 + 2 / 3 * y + 1).
    assert (P <= 6) by (unfold P; interval). assert (0 <= 16 * y ^ 2) by nra.
    apply Rle_trans with (16 * y ^ 2 * 6); nra.
  + destruct (Rle_dec 3 t) as [Hb | Hb].
    * assert (9 <= t * t) by nra. assert (81 <= t * t * (t * t)) by nra. apply Rle_trans with 3227; [|nra].
      interval with (i_bisect y, i_depth 20).
    * subst y. unfold y_of. assert (Ht1 : 1 <= t <= 3) by lra. clear - Ht1. apply Rminus_le. interval with (i_bisect t, i_taylor t, i_prec 60, i_depth 25).
- rewrite numerator_2_4. unfold y_of. interval with (i_prec 60).
Qed.
