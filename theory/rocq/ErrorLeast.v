(** * The error constant is the least

    The extremal function has the sign of the second Peano kernel for its derivative of order m + p; a continuous
    approximation of that sign comes as near as one likes.  A. Sard, Linear Approximation (1963). *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils MultipleAngles CentralSymbols BSplines Peano ErrorKernel.
Import ListNotations.
Open Scope R_scope.

(** kappa vanishes outside every interval that contains 0 and the nodes: the integral is that over the line. *)
Lemma error_kernel_outside m p T a b t : a <= 0 <= b -> within a b T -> t < a \/ b < t -> error_kernel m p T t = 0.
Proof.
intros Hab Hin Ht. unfold error_kernel. rewrite (wsum_ext T _ (fun _ => 0)); [rewrite wsum_zero; unfold Rdiv; ring|].
intros s Hs. apply in_map_iff in Hs. destruct Hs as (sc & <- & Hsc). pose proof (Hin sc Hsc). unfold remainder_kernel.
destruct (Rle_dec 0 t).
- destruct (Rlt_dec t (node sc)); [lra | reflexivity].
- destruct (Rlt_dec (node sc) t); [lra | reflexivity].
Qed.

(** ** No smaller constant is enough *)

(** Iterated primitives of a continuous function. *)
Fixpoint iterated (w : R -> R) (k : nat) : R -> R :=
  match k with O => w | S j => fun t => RInt (iterated w j) 0 t end.

Lemma iterated_derive w : (forall t, continuous w t) ->
  forall k, (forall t, continuous (iterated w k) t) /\ forall t, is_derive (iterated w (S k)) t (iterated w k t).
Proof.
intros Hw.
assert (Hstep : forall k, (forall t, continuous (iterated w k) t) -> forall t, is_derive (iterated w (S k)) t (iterated w k t)).
{ intros k Hk t. apply (is_derive_RInt (iterated w k) (fun t => RInt (iterated w k) 0 t) 0 t); [|apply Hk].
  exists (mkposreal 1 Rlt_0_1). intros y _. apply (RInt_correct (V := R_CompleteNormedModule)), ex_RInt_continuous.
  intros z _. apply Hk. }
induction k as [|k [IHc IHd]].
- split; [exact Hw | now apply Hstep].
- assert (Hc : forall t, continuous (iterated w (S k)) t).
  { intros t. apply (ex_derive_continuous (iterated w (S k))). eexists. apply IHd. }
  split; [exact Hc | now apply Hstep].
Qed.

(** (x + |x|) / 2 = max(x, 0), and 0 for z <= 0, z on [0, 1], 1 for z >= 1. *)
Definition positive_part (x : R) : R := (x + Rabs x) / 2.
Definition clamp (z : R) : R := (Rabs z - Rabs (z - 1) + 1) / 2.

Lemma continuous_affine_abs c d t : continuous (fun t => Rabs (c * t + d)) t.
Proof.
apply (continuous_Rabs_comp (fun t => c * t + d)). apply (ex_derive_continuous (fun t => c * t + d)). auto_derive. exact I.
Qed.

Lemma continuous_pow_comp (f : R -> R) n t : continuous f t -> continuous (fun t => f t ^ n) t.
Proof.
intros Hf. apply (continuous_comp f (fun x => x ^ n)); [exact Hf|].
apply (ex_derive_continuous (fun x => x ^ n)). auto_derive. exact I.
Qed.

Lemma continuous_positive c s n t : continuous (fun t => positive_part (c * t + s) ^ n) t.
Proof.
apply (continuous_pow_comp (fun t => positive_part (c * t + s))). unfold positive_part.
apply (continuous_mult (fun t => c * t + s + Rabs (c * t + s)) (fun _ => / 2)); [|apply continuous_const].
apply (continuous_plus (fun t => c * t + s)); [|apply continuous_affine_abs].
apply (ex_derive_continuous (fun t => c * t + s)). auto_derive. exact I.
Qed.

Lemma continuous_wsum T (f : R -> R -> R) t : (forall s, continuous (f s) t) -> continuous (fun t => wsum T (fun s => f s t)) t.
Proof.
intros H. induction T as [|sc T IH]; simpl; [apply continuous_const|].
apply (continuous_plus (fun t => weight sc * f (node sc) t) (fun t => wsum T (fun s => f s t))); [|exact IH].
apply (continuous_mult (fun _ => weight sc)); [apply continuous_const | apply H].
Qed.

(** The two continuous branches of kappa. *)
Definition right_branch (n : nat) (T : stencil) (t : R) : R := wsum T (fun s => positive_part (-1 * t + s) ^ n) / INR (fact n).
Definition left_branch (n : nat) (T : stencil) (t : R) : R :=
  wsum T (fun s => - (-1) ^ n * positive_part (1 * t + - s) ^ n) / INR (fact n).

Lemma branches m p T t : (1 <= m + p - 1)%nat ->
  error_kernel m p T t = if Rle_dec 0 t then right_branch (m + p - 1) T t else left_branch (m + p - 1) T t.
Proof.
intros Hn. unfold error_kernel, right_branch, left_branch. set (n := (m + p - 1)%nat) in *.
destruct (Rle_dec 0 t) as [Ht | Ht]; f_equal; apply wsum_ext_all; intros s; unfold remainder_kernel, positive_part.
- destruct (Rle_dec 0 t); [|lra]. destruct (Rlt_dec t s).
  + rewrite Rabs_pos_eq by lra. f_equal. field.
  + rewrite Rabs_left1 by lra. replace ((-1 * t + s + - (-1 * t + s)) / 2) with 0 by field. now rewrite pow_ne_zero by lia.
- destruct (Rle_dec 0 t); [lra|]. destruct (Rlt_dec s t).
  + rewrite Rabs_pos_eq by lra. replace (s - t) with (-1 * (t - s)) by ring. rewrite Rpow_mult_distr.
    replace ((1 * t + - s + (1 * t + - s)) / 2) with (t - s) by field. ring.
  + rewrite Rabs_left1 by lra. replace ((1 * t + - s + - (1 * t + - s)) / 2) with 0 by field. rewrite pow_ne_zero by lia. ring.
Qed.

Lemma continuous_right n T t : continuous (right_branch n T) t.
Proof.
unfold right_branch. apply (continuous_mult (fun t => wsum T (fun s => positive_part (-1 * t + s) ^ n)) (fun _ => / INR (fact n)));
  [|apply continuous_const]. apply (continuous_wsum T (fun s t => positive_part (-1 * t + s) ^ n)). intros s. apply continuous_positive.
Qed.

Lemma continuous_left n T t : continuous (left_branch n T) t.
Proof.
unfold left_branch.
apply (continuous_mult (fun t => wsum T (fun s => - (-1) ^ n * positive_part (1 * t + - s) ^ n)) (fun _ => / INR (fact n)));
  [|apply continuous_const]. apply (continuous_wsum T (fun s t => - (-1) ^ n * positive_part (1 * t + - s) ^ n)). intros s.
apply (continuous_mult (fun _ => - (-1) ^ n)); [apply continuous_const | apply continuous_positive].
Qed.

(** A continuous approximation of the sign. *)
Definition soft_sign (e x : R) : R := x / (Rabs x + e).

Lemma soft_sign_bound e x : 0 < e -> Rabs (soft_sign e x) <= 1.
Proof.
intros He. unfold soft_sign. pose proof (Rabs_pos x). rewrite Rabs_div by lra. rewrite (Rabs_pos_eq (Rabs x + e)) by lra.
apply Rle_div_l; lra.
Qed.

Lemma soft_sign_product e x : 0 < e -> Rabs x - e <= x * soft_sign e x.
Proof.
intros He. unfold soft_sign. pose proof (Rabs_pos x) as Hx.
replace (x * (x / (Rabs x + e))) with (Rabs x * Rabs x / (Rabs x + e)).
- apply (Rle_div_r (Rabs x - e)); [lra|]. nra.
- rewrite <- Rabs_mult, (Rabs_pos_eq (x * x)) by apply Rle_0_sqr. field. lra.
Qed.

Lemma continuous_soft_sign e (f : R -> R) t : 0 < e -> continuous f t -> continuous (fun t => soft_sign e (f t)) t.
Proof.
intros He Hf. unfold soft_sign. pose proof (Rabs_pos (f t)).
apply (continuous_mult f (fun t => / (Rabs (f t) + e))); [exact Hf|].
apply (continuous_comp (fun t => Rabs (f t) + e) Rinv).
- apply (continuous_plus (fun t => Rabs (f t))); [now apply continuous_Rabs_comp | apply continuous_const].
- apply continuous_Rinv. lra.
Qed.

Lemma clamp_bounds z : 0 <= clamp z <= 1 /\ (z <= 0 -> clamp z = 0) /\ (1 <= z -> clamp z = 1).
Proof.
unfold clamp. unfold Rabs. destruct (Rcase_abs z), (Rcase_abs (z - 1)); repeat split; intros; lra.
Qed.

(** For every constant below C_p there is a function of class C^(m+p) with |u^(m+p)| <= 1 everywhere whose error, for h = 1 at
    x = 0, exceeds it: every stencil with m >= 1, p >= 1. *)
Theorem error_constant_least m p T a b small : (1 <= m)%nat -> (1 <= p)%nat -> order_conditions m p T -> a < b -> a <= 0 <= b ->
  within a b T -> small < error_constant m p T a b ->
  exists U, derivatives (m + p) U /\ (forall t, Rabs (U (m + p)%nat t) <= 1) /\ small < Rabs (FD m T 1 (U O) 0 - U m 0).
Proof.
intros Hm Hp Ho Hlt Hab Hin Hsmall. set (C := error_constant m p T a b) in *.
set (n := (m + p - 1)%nat). assert (Hn : (1 <= n)%nat) by (unfold n; lia).
pose proof (error_constant_is m p T a b Hp Ho Hab Hin) as HC. fold C in HC.
destruct (ex_RInt_ub (fun t => Rabs (error_kernel m p T t)) a b) as [B0 HB0]; [now exists C|].
set (B := Rmax B0 1). assert (HB1 : 1 <= B) by apply Rmax_r.
assert (HB : forall t, a <= t <= b -> Rabs (error_kernel m p T t) <= B).
{ intros t Ht. apply Rle_trans with B0; [|apply Rmax_l]. rewrite <- Rabs_Rabsolu.
  apply (HB0 t). rewrite Rmin_left, Rmax_right by lra. exact Ht. }
pose proof PI_RGT_0 as Hpi.
set (e := (C - small) / (2 * (b - a + 4 * B * PI))).
assert (HBP : 0 < B * PI) by (apply Rmult_lt_0_compat; lra).
assert (Hden : 0 < b - a + 4 * B * PI) by lra.
assert (He : 0 < e) by (apply Rdiv_lt_0_compat; lra).
set (P := right_branch n T). set (Q := left_branch n T).
set (chi := fun t => clamp (/ (2 * e) * t + / 2)).
set (w := fun t => chi t * soft_sign e (P t) + (1 - chi t) * soft_sign e (Q t)).
assert (Hchi : forall t, continuous chi t).
{ intros t. unfold chi, clamp.
  apply (continuous_mult (fun t => Rabs (/ (2 * e) * t + / 2) - Rabs (/ (2 * e) * t + / 2 - 1) + 1) (fun _ => / 2));
    [|apply continuous_const].
  apply (continuous_plus (fun t => Rabs (/ (2 * e) * t + / 2) - Rabs (/ (2 * e) * t + / 2 - 1))); [|apply continuous_const].
  apply (continuous_minus (fun t => Rabs (/ (2 * e) * t + / 2))); [apply continuous_affine_abs|].
  apply (continuous_ext (fun t => Rabs (/ (2 * e) * t + (/ 2 - 1)))); [|apply continuous_affine_abs].
  intros r. f_equal. real_eq. ring. }
assert (Hw : forall t, continuous w t).
{ intros t. unfold w. apply (continuous_plus (fun t => chi t * soft_sign e (P t)) (fun t => (1 - chi t) * soft_sign e (Q t))).
  - apply (continuous_mult chi); [apply Hchi|]. apply continuous_soft_sign; [exact He | apply continuous_right].
  - apply (continuous_mult (fun t => 1 - chi t)).
    + apply (continuous_minus (fun _ => 1) chi); [apply continuous_const | apply Hchi].
    + apply continuous_soft_sign; [exact He | apply continuous_left]. }
assert (Hw1 : forall t, Rabs (w t) <= 1).
{ intros t. unfold w. destruct (clamp_bounds (/ (2 * e) * t + / 2)) as [[H0 H1] _]. fold (chi t) in H0, H1.
  pose proof (soft_sign_bound e (P t) He) as SP. pose proof (soft_sign_bound e (Q t) He) as SQ.
  apply Rabs_le_between in SP. apply Rabs_le_between in SQ. apply Rabs_le_between. split; nra. }
set (U := fun i => iterated w (m + p - i)).
assert (HU : derivatives (m + p) U).
{ split.
  - intros i t Hi. unfold U. replace (m + p - i)%nat with (S (m + p - S i)) by lia. now apply iterated_derive.
  - intros t. unfold U. now apply iterated_derive. }
assert (HUN : forall t, U (m + p)%nat t = w t) by (intros t; unfold U; now rewrite Nat.sub_diag).
exists U. split; [exact HU|]. split; [intros t; rewrite HUN; apply Hw1|].
assert (EFD : FD m T 1 (U O) 0 = wsum T (U O)).
{ unfold FD. rewrite pow1. unfold Rdiv. rewrite Rinv_1, Rmult_1_r. apply wsum_ext_all. intros s. f_equal. ring. }
rewrite EFD.
pose proof (error_representation m p T U a b Hp Ho Hab Hin HU) as H.
set (E := wsum T (U O) - U m 0) in *.
apply Rlt_le_trans with E; [|apply Rle_abs].
pose proof (is_RInt_bump e a b He) as Hbump.
assert (Hg : is_RInt (fun t => plus (plus (Rabs (error_kernel m p T t)) (- e)) (scal (- (4 * B)) (e * e / (e * e + t * t)))) a b
               (plus (plus C (scal (b - a) (- e))) (scal (- (4 * B)) (e * (atan (b / e) - atan (a / e)))))).
{ apply (is_RInt_plus (fun t => plus (Rabs (error_kernel m p T t)) (- e)) (fun t => scal (- (4 * B)) (e * e / (e * e + t * t)))).
  - apply (is_RInt_plus (fun t => Rabs (error_kernel m p T t)) (fun _ => - e)); [exact HC | apply (is_RInt_const (V := R_NormedModule))].
  - now apply (is_RInt_scal (fun t => e * e / (e * e + t * t))). }
assert (Hle : plus (plus C (scal (b - a) (- e))) (scal (- (4 * B)) (e * (atan (b / e) - atan (a / e)))) <= E).
{ refine (is_RInt_le _ _ a b _ _ _ Hg H _); [lra|].
  intros t Ht. unfold plus, scal; simpl. unfold mult; simpl. rewrite HUN.
  pose proof (HB t ltac:(lra)) as KB. pose proof (Hw1 t) as W1.
  pose proof (branches m p T t Hn) as EK. fold n in EK. set (K := error_kernel m p T t) in *.
  assert (Htt : 0 <= t * t) by apply Rle_0_sqr. assert (Hee : 0 < e * e) by now apply Rmult_lt_0_compat.
  assert (G0 : 0 <= e * e / (e * e + t * t)) by (apply Rdiv_le_0_compat; lra).
  assert (Hz : / (2 * e) * t + / 2 = (t + e) / (2 * e)) by (field; lra).
  destruct (clamp_bounds (/ (2 * e) * t + / 2)) as (_ & Hc0 & Hc1). fold (chi t) in Hc0, Hc1. rewrite Hz in Hc0, Hc1.
  destruct (Rle_dec e t) as [H1 | H1]; [|destruct (Rle_dec t (- e)) as [H2 | H2]].
  - assert (Hchi1 : chi t = 1) by (apply Hc1; apply Rle_div_r; lra).
    destruct (Rle_dec 0 t) as [_ | Hneg]; [|lra]. unfold w. rewrite Hchi1. rewrite EK. fold P.
    pose proof (soft_sign_product e (P t) He). assert (0 <= 4 * B * (e * e / (e * e + t * t))) by (apply Rmult_le_pos; lra).
    replace (P t * (1 * soft_sign e (P t) + (1 - 1) * soft_sign e (Q t))) with (P t * soft_sign e (P t)) by ring. lra.
  - assert (Hchi0 : chi t = 0) by (apply Hc0; apply Rle_div_l; lra).
    destruct (Rle_dec 0 t) as [Hpos | _]; [lra|]. unfold w. rewrite Hchi0. rewrite EK. fold Q.
    pose proof (soft_sign_product e (Q t) He). assert (0 <= 4 * B * (e * e / (e * e + t * t))) by (apply Rmult_le_pos; lra).
    replace (Q t * (0 * soft_sign e (P t) + (1 - 0) * soft_sign e (Q t))) with (Q t * soft_sign e (Q t)) by ring. lra.
  - assert (Hte : - e < t < e) by lra. assert (Hsq : t * t <= e * e) by nra.
    assert (G1 : 1 / 2 <= e * e / (e * e + t * t)) by (apply (Rle_div_r (1 / 2) (e * e)); [lra|]; lra).
    assert (4 * B * (1 / 2) <= 4 * B * (e * e / (e * e + t * t))) by (apply Rmult_le_compat_l; lra).
    assert (KW : Rabs (K * w t) <= Rabs K).
    { rewrite Rabs_mult. rewrite <- (Rmult_1_r (Rabs K)) at 2. apply Rmult_le_compat_l; [apply Rabs_pos | exact W1]. }
    apply Rabs_le_between in KW. lra. }
unfold plus, scal in Hle; simpl in Hle. unfold mult in Hle; simpl in Hle.
pose proof (atan_bound (b / e)) as A1. pose proof (atan_bound (a / e)) as A2.
assert (A3 : e * (atan (b / e) - atan (a / e)) <= e * PI) by (apply Rmult_le_compat_l; lra).
assert (A4 : 4 * B * (e * (atan (b / e) - atan (a / e))) <= 4 * B * (e * PI)) by (apply Rmult_le_compat_l; lra).
assert (A5 : e * (b - a + 4 * B * PI) = (C - small) / 2) by (unfold e; field; lra).
assert (A6 : (b - a) * - e = - (e * (b - a))) by ring. lra.
Qed.
