(** * The error bound for functions of W^(m+p, infinity)

    The last derivative but one is Lipschitz continuous; Steklov's averages, taken within the hull of the nodes, reduce the
    bound to functions of class C^(m+p). *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils MultipleAngles CentralSymbols BSplines Peano ErrorKernel.
Import ListNotations.
Open Scope R_scope.

(** ** Functions of W^(m+p, infinity): the last derivative but one is Lipschitz continuous *)

(** U 0, ..., U n are successive derivatives on the line, U n continuous. *)
Definition derivatives_to (n : nat) (U : nat -> R -> R) : Prop :=
  (forall i t, (i < n)%nat -> is_derive (U i) t (U (S i) t)) /\ forall t, continuous (U n) t.

(** Steklov's averages over [q, q + e], q = a + k (t - a), which lies in [a, b - e]: a smoothing that stays in [a, b]. *)
Section Steklov.
Variables (n : nat) (U : nat -> R -> R) (a b : R).
Hypothesis HU : derivatives_to n U.
Hypothesis Hab : a < b.

Lemma U_continuous i t : (i <= n)%nat -> continuous (U i) t.
Proof.
intros Hi. destruct (Nat.eq_dec i n) as [-> | Hne]; [apply HU|].
apply (ex_derive_continuous (U i)). eexists. apply HU. lia.
Qed.

Definition primitive (i : nat) : R -> R := match i with O => fun t => RInt (U O) 0 t | S j => U j end.

Lemma primitive_derive i t : (i <= n)%nat -> is_derive (primitive i) t (U i t).
Proof.
intros Hi. destruct i as [|j]; simpl; [|apply HU; lia].
apply (is_derive_RInt (U O) (fun t => RInt (U O) 0 t) 0 t).
- exists (mkposreal 1 Rlt_0_1). intros y _. apply (RInt_correct (V := R_CompleteNormedModule)), ex_RInt_continuous.
  intros z _. apply U_continuous. lia.
- apply U_continuous. lia.
Qed.

Definition ratio (e : R) : R := 1 - e / (b - a).
Definition start (e t : R) : R := a + ratio e * (t - a).
Definition steklov (e : R) (i : nat) (t : R) : R :=
  ratio e ^ i * ((primitive i (start e t + e) - primitive i (start e t)) / e).

Lemma start_bounds e t : 0 < e <= b - a -> a <= t <= b -> a <= start e t /\ start e t + e <= b /\ Rabs (start e t - t) <= e /\ Rabs (start e t + e - t) <= e.
Proof.
intros He Ht. unfold start, ratio.
assert (Hd : 0 < b - a) by lra.
assert (Hq : 0 <= (t - a) / (b - a) <= 1).
{ split; [apply Rdiv_le_0_compat; lra | apply Rle_div_l; lra]. }
replace (a + (1 - e / (b - a)) * (t - a)) with (t - e * ((t - a) / (b - a))) by (field; lra).
set (q := (t - a) / (b - a)) in *. assert (Hqt : t - a = q * (b - a)) by (unfold q; field; lra).
assert (0 <= e * q <= e) by (split; nra).
assert (e * q <= q * (b - a)) by nra.
assert (e * (1 - q) <= (1 - q) * (b - a)) by nra.
repeat split; try lra.
- rewrite Rabs_left1; lra.
- rewrite Rabs_pos_eq; lra.
Qed.

Lemma steklov_derivatives e : 0 < e -> derivatives (S n) (steklov e).
Proof.
intros He. split.
- intros i t Hi. unfold steklov.
  replace (ratio e ^ S i * ((primitive (S i) (start e t + e) - primitive (S i) (start e t)) / e))
    with (ratio e ^ i * ((ratio e * U i (start e t + e) - ratio e * U i (start e t)) * / e)) by (simpl; field; lra).
  apply is_derive_scal.
  apply (is_derive_ext (fun t => / e * (primitive i (start e t + e) - primitive i (start e t)))).
  { intros r. apply Rmult_comm. }
  rewrite (Rmult_comm _ (/ e)). apply is_derive_scal.
  apply (is_derive_minus (fun t => primitive i (start e t + e)) (fun t => primitive i (start e t))).
  + apply (is_derive_comp (primitive i) (fun t => start e t + e) t (U i (start e t + e)) (ratio e)).
    * apply primitive_derive. lia.
    * unfold start. auto_derive; [exact I | ring].
  + apply (is_derive_comp (primitive i) (fun t => start e t) t (U i (start e t)) (ratio e)).
    * apply primitive_derive. lia.
    * unfold start. auto_derive; [exact I | ring].
- intros t. unfold steklov. simpl primitive.
  assert (Hs : forall c, continuous (fun t => start e t + c) t).
  { intros c. apply (ex_derive_continuous (fun t => start e t + c)). unfold start. auto_derive. exact I. }
  apply (continuous_mult (fun _ => ratio e ^ S n)); [apply continuous_const|].
  apply (continuous_mult (fun t => U n (start e t + e) - U n (start e t)) (fun _ => / e)); [|apply continuous_const].
  apply (continuous_minus (fun t => U n (start e t + e)) (fun t => U n (start e t))).
  + apply (continuous_comp (fun t => start e t + e) (U n)); [apply Hs | apply HU].
  + apply (continuous_comp (fun t => start e t) (U n)); [|apply HU].
    apply (continuous_ext (fun t => start e t + 0)); [intros r; apply Rplus_0_r | apply Hs].
Qed.

Lemma ratio_bounds e : 0 < e <= b - a -> 0 <= ratio e <= 1.
Proof.
intros He. unfold ratio. assert (0 < e / (b - a)) by (apply Rdiv_lt_0_compat; lra).
assert (e / (b - a) <= 1) by (apply Rle_div_l; lra). lra.
Qed.

Lemma steklov_bound e L t : 0 < e <= b - a -> a <= t <= b ->
  (forall r s, a <= r <= b -> a <= s <= b -> Rabs (U n r - U n s) <= L * Rabs (r - s)) -> Rabs (steklov e (S n) t) <= L.
Proof.
intros He Ht HL. unfold steklov. simpl primitive.
destruct (start_bounds e t He Ht) as (H1 & H2 & _). pose proof (ratio_bounds e He) as Hr.
rewrite Rabs_mult, <- RPow_abs, (Rabs_pos_eq (ratio e)) by lra.
assert (Hq : Rabs ((U n (start e t + e) - U n (start e t)) / e) <= L).
{ rewrite Rabs_div by lra. rewrite (Rabs_pos_eq e) by lra. apply Rle_div_l; [lra|].
  pose proof (HL (start e t + e) (start e t) ltac:(lra) ltac:(lra)) as H.
  replace (start e t + e - start e t) with e in H by ring. rewrite (Rabs_pos_eq e) in H by lra. exact H. }
assert (Hp : 0 <= ratio e ^ S n <= 1).
{ split; [apply pow_le; lra|]. rewrite <- (pow1 (S n)). apply pow_incr. lra. }
pose proof (Rabs_pos ((U n (start e t + e) - U n (start e t)) / e)). nra.
Qed.

Lemma step_sequence : is_lim_seq (fun j => (b - a) / (INR j + 1)) 0.
Proof.
replace (Finite 0) with (Rbar_mult (b - a) 0) by (simpl; f_equal; ring).
apply (is_lim_seq_scal_l (fun j => / (INR j + 1)) (b - a) 0).
replace (Finite 0) with (Rbar_inv p_infty) by reflexivity. apply is_lim_seq_inv; [|discriminate].
apply (is_lim_seq_ext (fun j => INR (S j))); [intros j; apply S_INR|].
apply (is_lim_seq_incr_1 INR), is_lim_seq_INR.
Qed.

Lemma step_bounds j : 0 < (b - a) / (INR j + 1) <= b - a.
Proof.
pose proof (pos_INR j). split; [apply Rdiv_lt_0_compat; lra|]. apply Rle_div_l; [lra|]. nra.
Qed.

Lemma steklov_limit i t : (i <= n)%nat -> a <= t <= b ->
  is_lim_seq (fun j => steklov ((b - a) / (INR j + 1)) i t) (U i t).
Proof.
intros Hi Ht. unfold steklov.
replace (Finite (U i t)) with (Rbar_mult 1 (U i t)) by (simpl; f_equal; ring).
apply is_lim_seq_mult'.
- replace (Finite 1) with (Finite (1 ^ i)) by (now rewrite pow1).
  apply (is_lim_seq_continuous (fun x => x ^ i) (fun j => ratio ((b - a) / (INR j + 1))) 1).
  + apply continuity_pt_filterlim. apply (ex_derive_continuous (fun x => x ^ i)). auto_derive. exact I.
  + unfold ratio. replace (Finite 1) with (Finite (1 - 0 * / (b - a))) by (f_equal; ring).
    apply is_lim_seq_minus'; [apply is_lim_seq_const|]. unfold Rdiv at 1.
    apply is_lim_seq_mult'; [apply step_sequence | apply is_lim_seq_const].
- apply is_lim_seq_spec. intros eps.
  pose proof (U_continuous i t Hi) as Hc.
  destruct (proj1 (filterlim_locally (U i) (U i t)) Hc eps) as [delta Hd].
  pose proof step_sequence as Hseq. apply is_lim_seq_spec in Hseq. destruct (Hseq delta) as [J HJ].
  exists J. intros j Hj. specialize (HJ j Hj). rewrite Rminus_0_r in HJ.
  set (e := (b - a) / (INR j + 1)) in *. pose proof (step_bounds j) as He. fold e in He.
  rewrite Rabs_pos_eq in HJ by lra.
  destruct (start_bounds e t He Ht) as (_ & _ & B1 & B2).
  destruct (MVT_gen (primitive i) (start e t) (start e t + e) (U i)) as [c [Hcc E]].
  + intros z _. now apply primitive_derive.
  + intros z _. apply continuity_pt_filterlim. apply (ex_derive_continuous (primitive i)). eexists. now apply primitive_derive.
  + rewrite Rmin_left, Rmax_right in Hcc by lra.
    replace ((primitive i (start e t + e) - primitive i (start e t)) / e) with (U i c).
    * apply Hd. unfold ball; simpl. unfold AbsRing_ball, abs, minus, plus, opp; simpl.
      apply Rle_lt_trans with e; [|exact HJ]. apply Rabs_le_between'. 
      apply Rabs_le_between' in B1. apply Rabs_le_between' in B2. lra.
    * rewrite E. field. lra.
Qed.

End Steklov.

(** The bound, h = 1 and x = 0. *)
Lemma error_bound_core m p T (U : nat -> R -> R) a b L : (1 <= p)%nat -> order_conditions m p T -> a < b -> a <= 0 <= b ->
  within a b T -> derivatives_to (m + p - 1) U ->
  (forall r s, a <= r <= b -> a <= s <= b -> Rabs (U (m + p - 1)%nat r - U (m + p - 1)%nat s) <= L * Rabs (r - s)) ->
  Rabs (wsum T (U O) - U m 0) <= error_constant m p T a b * L.
Proof.
intros Hp Ho Hlt Hab Hin HU HL. set (n := (m + p - 1)%nat) in *.
assert (HN : (m + p)%nat = S n) by (unfold n; lia).
assert (Hwsum : forall T', within a b T' ->
          is_lim_seq (fun j => wsum T' (steklov U a b ((b - a) / (INR j + 1)) 0)) (wsum T' (U O))).
{ induction T' as [|sc T' IH]; intros Hin'; simpl; [apply is_lim_seq_const|].
  apply is_lim_seq_plus'.
  - apply is_lim_seq_mult'; [apply is_lim_seq_const|].
    apply (steklov_limit n); auto; [lia | apply Hin'; now left].
  - apply IH. intros sc' H. apply Hin'. now right. }
assert (Hlim : is_lim_seq (fun j => Rabs (wsum T (steklov U a b ((b - a) / (INR j + 1)) 0) - steklov U a b ((b - a) / (INR j + 1)) m 0))
                 (Rabs (wsum T (U O) - U m 0))).
{ apply (is_lim_seq_abs _ (Finite (wsum T (U O) - U m 0))). apply is_lim_seq_minus'; [now apply Hwsum|].
  apply (steklov_limit n); auto. unfold n; lia. }
refine (is_lim_seq_le _ (fun _ => error_constant m p T a b * L) (Finite _) (Finite _) _ Hlim (is_lim_seq_const _)).
intros j. pose proof (step_bounds a b Hlt j) as He.
apply error_bound_smooth; auto.
- rewrite HN. apply steklov_derivatives; auto. lra.
- intros t Ht. rewrite HN. apply steklov_bound; auto.
Qed.

(** The error bound: every stencil of real nodes in [a, b] (with 0) that satisfies the moment equations of d^m/dx^m to order
    p >= 1, every x and h > 0, every u with derivatives U i to the order m + p - 1 the last of which is Lipschitz continuous
    with constant L on the hull x + h [a, b], that is, u in W^(m+p, infinity) with L = max |u^(m+p)| there:
      |D_h u (x) - u^(m)(x)| <= h^p C_p L. *)
Theorem error_bound m p T (U : nat -> R -> R) a b x h L : (1 <= p)%nat -> order_conditions m p T -> a < b -> a <= 0 <= b ->
  within a b T -> 0 < h -> derivatives_to (m + p - 1) U ->
  (forall r s, x + a * h <= r <= x + b * h -> x + a * h <= s <= x + b * h ->
     Rabs (U (m + p - 1)%nat r - U (m + p - 1)%nat s) <= L * Rabs (r - s)) ->
  Rabs (FD m T h (U O) x - U m x) <= h ^ p * error_constant m p T a b * L.
Proof.
intros Hp Ho Hlt Hab Hin Hh HU HL. set (n := (m + p - 1)%nat) in *.
set (V := fun i t => h ^ i * U i (x + t * h)).
assert (HV : derivatives_to n V).
{ split.
  - intros i t Hi. unfold V. replace (h ^ S i * U (S i) (x + t * h)) with (h ^ i * (h * U (S i) (x + t * h))) by (simpl; ring).
    apply is_derive_scal. apply (is_derive_comp (U i) (fun t => x + t * h) t (U (S i) (x + t * h)) h).
    + now apply HU.
    + auto_derive; [exact I | ring].
  - intros t. unfold V. apply (continuous_mult (fun _ => h ^ n)); [apply continuous_const|].
    apply (continuous_comp (fun t => x + t * h) (U n)); [|apply HU].
    apply (ex_derive_continuous (fun t => x + t * h)). auto_derive. exact I. }
assert (HVL : forall r s, a <= r <= b -> a <= s <= b -> Rabs (V n r - V n s) <= h ^ (m + p) * L * Rabs (r - s)).
{ intros r s Hr Hs. unfold V. replace (h ^ n * U n (x + r * h) - h ^ n * U n (x + s * h))
    with (h ^ n * (U n (x + r * h) - U n (x + s * h))) by ring.
  rewrite Rabs_mult, (Rabs_pos_eq (h ^ n)) by (apply pow_le; lra).
  replace (m + p)%nat with (S n) by (unfold n; lia). simpl pow.
  pose proof (HL (x + r * h) (x + s * h) ltac:(nra) ltac:(nra)) as H.
  replace (x + r * h - (x + s * h)) with (h * (r - s)) in H by ring. rewrite Rabs_mult, (Rabs_pos_eq h) in H by lra.
  apply Rle_trans with (h ^ n * (L * (h * Rabs (r - s)))); [|right; ring].
  apply Rmult_le_compat_l; [apply pow_le; lra | exact H]. }
pose proof (error_bound_core m p T V a b (h ^ (m + p) * L) Hp Ho Hlt Hab Hin HV HVL) as H.
assert (Hpow : 0 < h ^ m) by now apply pow_lt.
unfold V in H. simpl pow in H. rewrite (wsum_ext_all T _ (fun s => U O (x + s * h))) in H by (intros s; ring).
rewrite Rmult_0_l, Rplus_0_r in H. rewrite pow_add in H.
apply (Rmult_le_reg_l (h ^ m)); [exact Hpow|].
rewrite <- (Rabs_pos_eq (h ^ m)) at 1 by lra. rewrite <- Rabs_mult.
replace (h ^ m * (FD m T h (U O) x - U m x)) with (wsum T (fun s => U O (x + s * h)) - h ^ m * U m x).
- eapply Rle_trans; [exact H|]. right. ring.
- unfold FD. field. lra.
Qed.
