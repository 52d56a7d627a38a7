(** * Peano's formula for finite differences, and that no difference of order three or more is an average

    For u of class C^m the difference is  D_h u (x) = integral of K(t) u^(m)(x + h t) dt  with the Peano kernel
    K(t) = sum_k c_k (s_k - t)_+^(m-1) / (m-1)!: Taylor's formula with integral remainder at a point left of all nodes,
    whose polynomial part the moment equations annihilate.  So the integral of K is 1, and that of t^2 K is 0 when the
    order is 3 or more, whence K takes negative values.  Classical (Peano, Sard) but for the last remark. *)
From Coq Require Import Reals List Lia Lra Classical.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils MultipleAngles CentralSymbols BSplines.
Import ListNotations.
Open Scope R_scope.

(** Equalities between elements of Coquelicot's module R are equalities of reals. *)
Ltac real_eq := match goal with |- @eq _ ?u ?v => change (@eq R u v) end.

(** All nodes lie in [a, b]. *)
Definition within (a b : R) (T : stencil) : Prop := forall sc, In sc T -> a <= node sc <= b.

(** ** Taylor's formula with integral remainder, for one node *)

(** U i is the i-th derivative of U 0, for i up to m, and U m is continuous. *)
Definition derivatives (m : nat) (U : nat -> R -> R) : Prop :=
  (forall i x, (i < m)%nat -> is_derive (U i) x (U (S i) x)) /\ forall x, continuous (U m) x.

Lemma taylor_sum_derivative n : forall (U : nat -> R -> R) (s t : R), (forall i x, (i < S n)%nat -> is_derive (U i) x (U (S i) x)) ->
  is_derive (fun t => psum (fun i => (s - t) ^ i / INR (fact i) * U i t) (S n)) t ((s - t) ^ n / INR (fact n) * U (S n) t).
Proof.
induction n as [|n IH]; intros U s t HU.
- apply (is_derive_ext (U O)). { intros r. real_eq. simpl. field. }
  replace ((s - t) ^ 0 / INR (fact 0) * U 1%nat t) with (U 1%nat t) by (real_eq; simpl; field). apply HU. lia.
- replace ((s - t) ^ S n / INR (fact (S n)) * U (S (S n)) t)
    with ((s - t) ^ n / INR (fact n) * U (S n) t
          + (- ((s - t) ^ n / INR (fact n)) * U (S n) t + (s - t) ^ S n / INR (fact (S n)) * U (S (S n)) t)) by (real_eq; ring).
  apply (is_derive_plus (fun t => psum (fun i => (s - t) ^ i / INR (fact i) * U i t) (S n))
           (fun t => (s - t) ^ S n / INR (fact (S n)) * U (S n) t)).
  + apply IH. intros i x Hi. apply HU. lia.
  + apply (is_derive_mult (fun t => (s - t) ^ S n / INR (fact (S n))) (U (S n)) t
             (- ((s - t) ^ n / INR (fact n))) (U (S (S n)) t)).
    * apply (is_derive_ext (fun t => / INR (fact (S n)) * (s - t) ^ S n)).
      { intros r. real_eq. unfold Rdiv. apply Rmult_comm. }
      replace (- ((s - t) ^ n / INR (fact n))) with (/ INR (fact (S n)) * (INR (S n) * -1 * (s - t) ^ pred (S n))).
      -- apply is_derive_scal. apply (is_derive_pow (fun t => s - t) (S n) t (-1)). auto_derive; [exact I | ring].
      -- simpl pred. rewrite INR_fact_S, S_INR. pose proof (INR_fact_neq_0 n). pose proof (pos_INR n). field. split; lra.
    * apply HU. lia.
    * intros x y. apply Rmult_comm.
Qed.

Lemma continuous_power s n x : continuous (fun t => (s - t) ^ n) x.
Proof. apply (ex_derive_continuous (fun t => (s - t) ^ n)). auto_derive. exact I. Qed.

Lemma taylor_node m (U : nat -> R -> R) a b s : (1 <= m)%nat -> derivatives m U -> a <= s <= b ->
  is_RInt (fun t => plus_power (m - 1) (s - t) / INR (fact (m - 1)) * U m t) a b
    (U O s - psum (fun i => (s - a) ^ i / INR (fact i) * U i a) m).
Proof.
intros Hm [HU Hc] Hs. destruct m as [|n]; [lia|]. replace (S n - 1)%nat with n by lia.
assert (E : psum (fun i => (s - s) ^ i / INR (fact i) * U i s) (S n) = U O s).
{ rewrite psum_shift, psum_zero.
  - simpl. field.
  - intros j _. rewrite (Rminus_diag_eq s) by reflexivity. rewrite pow_ne_zero by discriminate. unfold Rdiv. ring. }
set (f := fun t => plus_power n (s - t) / INR (fact n) * U (S n) t).
set (g := fun t => psum (fun i => (s - t) ^ i / INR (fact i) * U i t) (S n)).
assert (H1 : is_RInt f a s (minus (g s) (g a))).
{ apply (is_RInt_ext (fun t => (s - t) ^ n / INR (fact n) * U (S n) t)).
  { intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. unfold f, plus_power.
    destruct (Rlt_dec 0 (s - t)); [reflexivity | lra]. }
  apply (is_RInt_derive g (fun t => (s - t) ^ n / INR (fact n) * U (S n) t)).
  - intros t _. now apply taylor_sum_derivative.
  - intros t _. apply (continuous_mult (fun t => (s - t) ^ n / INR (fact n)) (U (S n))); [|apply Hc].
    apply (continuous_mult (fun t => (s - t) ^ n) (fun _ => / INR (fact n))); [apply continuous_power | apply continuous_const]. }
assert (H2 : is_RInt f s b (scal (b - s) (0 : R))).
{ apply (is_RInt_ext (fun _ => 0)).
  { intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. unfold f, plus_power. destruct (Rlt_dec 0 (s - t)); [lra|].
    real_eq. unfold Rdiv. ring. }
  apply (is_RInt_const (V := R_NormedModule)). }
pose proof (is_RInt_Chasles f a s b _ _ H1 H2) as H.
replace (U O s - psum (fun i => (s - a) ^ i / INR (fact i) * U i a) (S n))
  with (plus (minus (g s) (g a)) (scal (b - s) (0 : R))); [exact H|].
unfold g at 1. rewrite E. unfold plus, minus, opp, scal; simpl. unfold mult; simpl. unfold plus, g; simpl. ring.
Qed.

(** ** Peano's formula *)

Lemma moments_shifted T m a i : (forall j, (j < m)%nat -> moment T j = 0) -> (i < m)%nat -> wsum T (fun s => (s - a) ^ i) = 0.
Proof.
intros H0. enough (H : forall j, (i + j < m)%nat -> wsum T (fun s => s ^ j * (s - a) ^ i) = 0).
{ intros Hi. rewrite (wsum_ext_all T _ (fun s => s ^ 0 * (s - a) ^ i)) by (intros s; simpl; ring). apply H. lia. }
induction i as [|i IH]; intros j Hj.
- rewrite (wsum_ext_all T _ (fun s => s ^ j)) by (intros s; simpl; ring). apply H0. lia.
- rewrite (wsum_ext_all T _ (fun s => s ^ S j * (s - a) ^ i - a * (s ^ j * (s - a) ^ i))) by (intros s; simpl; ring).
  rewrite wsum_minus, wsum_scal, !IH by lia. ring.
Qed.

Lemma is_RInt_wsum T (f : R -> R -> R) (v : R -> R) a b :
  (forall sc, In sc T -> is_RInt (f (node sc)) a b (v (node sc))) ->
  is_RInt (fun t => wsum T (fun s => f s t)) a b (wsum T v).
Proof.
induction T as [|sc T IH]; intros H; simpl.
- pose proof (is_RInt_const (V := R_NormedModule) a b 0) as H0. unfold scal in H0; simpl in H0. unfold mult in H0; simpl in H0.
  rewrite Rmult_0_r in H0. exact H0.
- apply (is_RInt_plus (fun t => weight sc * f (node sc) t) (fun t => wsum T (fun s => f s t))).
  + apply (is_RInt_scal (f (node sc))). apply H. now left.
  + apply IH. intros sc' Hin. apply H. now right.
Qed.

(** For functions with given derivatives, h = 1 and x = 0. *)
Lemma peano_core m p T (U : nat -> R -> R) a b : (1 <= m)%nat -> order_conditions m p T -> within a b T -> derivatives m U ->
  is_RInt (fun t => peano m T t * U m t) a b (wsum T (U O)).
Proof.
intros Hm Ho Hin HU.
assert (E : wsum T (fun s => U O s - psum (fun i => (s - a) ^ i / INR (fact i) * U i a) m) = wsum T (U O)).
{ rewrite wsum_minus, wsum_psum, psum_zero; [ring|]. intros i Hi.
  rewrite (wsum_ext_all T _ (fun s => (s - a) ^ i * (/ INR (fact i) * U i a))) by (intros s; unfold Rdiv; ring).
  rewrite wsum_scal_r, (moments_shifted T m) by (auto; intros j Hj; apply (moment_other m p); auto; lia). ring. }
rewrite <- E.
apply (is_RInt_ext (fun t => wsum T (fun s => plus_power (m - 1) (s - t) / INR (fact (m - 1)) * U m t))).
{ intros t _. unfold peano. unfold Rdiv. rewrite <- wsum_scal_r, <- wsum_scal_r. reflexivity. }
apply (is_RInt_wsum T (fun s t => plus_power (m - 1) (s - t) / INR (fact (m - 1)) * U m t)).
intros sc Hsc. apply taylor_node; auto.
Qed.

(** Peano's formula for every u of class C^m, every x and h <> 0, every stencil of real nodes in [a, b] that satisfies the
    moment equations below m + p, for any p:  D_h u (x) = integral over [a, b] of K(t) u^(m)(x + t h). *)
Theorem peano_formula m p T u a b x h : (1 <= m)%nat -> order_conditions m p T -> within a b T -> h <> 0 ->
  (forall i y, (i <= m)%nat -> ex_derive_n u i y) -> (forall y, continuous (Derive_n u m) y) ->
  is_RInt (fun t => peano m T t * Derive_n u m (x + t * h)) a b (FD m T h u x).
Proof.
intros Hm Ho Hin Hh Hd Hc.
assert (Hcomp : forall i t, (i < m)%nat -> is_derive (fun t => Derive_n u i (x + t * h)) t (h * Derive_n u (S i) (x + t * h))).
{ intros i t Hi. apply (is_derive_comp (Derive_n u i) (fun t => x + t * h) t (Derive_n u (S i) (x + t * h)) h).
  - apply Derive_correct. apply (Hd (S i)). lia.
  - auto_derive; [exact I | ring]. }
pose proof (peano_core m p T (fun i t => h ^ i * Derive_n u i (x + t * h)) a b Hm Ho Hin) as H.
assert (HU : derivatives m (fun i t => h ^ i * Derive_n u i (x + t * h))).
{ split.
  - intros i t Hi. replace (h ^ S i * Derive_n u (S i) (x + t * h)) with (h ^ i * (h * Derive_n u (S i) (x + t * h))) by (simpl; ring).
    now apply is_derive_scal, Hcomp.
  - intros t. apply (continuous_mult (fun _ => h ^ m)); [apply continuous_const|].
    apply (continuous_comp (fun t => x + t * h) (Derive_n u m)); [|apply Hc].
    apply (ex_derive_continuous (fun t => x + t * h)). auto_derive. exact I. }
specialize (H HU). simpl in H.
assert (Hp : h ^ m <> 0) by now apply pow_nonzero.
apply (is_RInt_scal _ a b (/ h ^ m)) in H.
replace (FD m T h u x) with (scal (/ h ^ m) (wsum T (fun t => 1 * u (x + t * h)))).
2: { unfold FD, scal; simpl. unfold mult; simpl. unfold Rdiv. rewrite Rmult_comm. f_equal.
     apply wsum_ext_all. intros s. apply Rmult_1_l. }
revert H. apply is_RInt_ext. intros t _. unfold scal; simpl. unfold mult; simpl. field. exact Hp.
Qed.

(** K vanishes outside the hull of the nodes, so that the integral may be taken over any interval that contains them. *)
Lemma peano_outside m p T a b t : (1 <= m)%nat -> order_conditions m p T -> within a b T -> t < a \/ b < t -> peano m T t = 0.
Proof.
intros Hm Ho Hin Ht. unfold peano. destruct Ht as [Ht | Ht].
- rewrite (wsum_ext T _ (fun s => (s - t) ^ (m - 1))).
  + rewrite (moments_shifted T m) by (try lia; intros j Hj; apply (moment_other m p); auto; lia). unfold Rdiv. ring.
  + intros s Hs. apply in_map_iff in Hs. destruct Hs as (sc & <- & Hsc). pose proof (Hin sc Hsc).
    unfold plus_power. destruct (Rlt_dec 0 (node sc - t)); [reflexivity | lra].
- rewrite (wsum_ext T _ (fun _ => 0)); [rewrite wsum_zero; unfold Rdiv; ring|].
  intros s Hs. apply in_map_iff in Hs. destruct Hs as (sc & <- & Hsc). pose proof (Hin sc Hsc).
  unfold plus_power. destruct (Rlt_dec 0 (node sc - t)); [lra | reflexivity].
Qed.

(** ** Moments of the kernel *)

(** The functions t^(n - i) / (n - i)! are the derivatives of t^n / n!. *)
Lemma derivatives_power m n c : (m <= n)%nat -> derivatives m (fun i t => c * (t ^ (n - i) / INR (fact (n - i)))).
Proof.
intros Hmn. split.
- intros i t Hi. apply is_derive_scal. replace (n - i)%nat with (S (n - S i)) by lia. set (k := (n - S i)%nat).
  apply (is_derive_ext (fun t => / INR (fact (S k)) * t ^ S k)). { intros r. real_eq. unfold Rdiv. apply Rmult_comm. }
  replace (t ^ k / INR (fact k)) with (/ INR (fact (S k)) * (INR (S k) * t ^ pred (S k))).
  + apply is_derive_scal, is_derive_power.
  + simpl pred. rewrite INR_fact_S, S_INR. pose proof (INR_fact_neq_0 k). pose proof (pos_INR k). field. split; lra.
- intros t. apply (ex_derive_continuous (fun t => c * (t ^ (n - m) / INR (fact (n - m))))).
  apply ex_derive_mult; [apply ex_derive_const|]. apply ex_derive_mult; [|apply ex_derive_const].
  apply ex_derive_pow, ex_derive_id.
Qed.

(** The integral of K is 1. *)
Theorem peano_integral m p T a b : (1 <= m)%nat -> (1 <= p)%nat -> order_conditions m p T -> within a b T ->
  is_RInt (peano m T) a b 1.
Proof.
intros Hm Hp Ho Hin.
pose proof (peano_core m p T _ a b Hm Ho Hin (derivatives_power m m 1 (le_n _))) as H. simpl in H.
assert (E : wsum T (fun t => 1 * (t ^ (m - 0) / INR (fact (m - 0)))) = 1).
{ rewrite Nat.sub_0_r. unfold Rdiv. rewrite wsum_scal, wsum_scal_r. fold (moment T m). rewrite (moment_own m p) by auto.
  field. apply INR_fact_neq_0. }
rewrite E in H. revert H. apply is_RInt_ext. intros t _. rewrite Nat.sub_diag. simpl. field.
Qed.

(** The integral of t^2 K is 0 when the order is 3 or more. *)
Theorem peano_second_moment m p T a b : (1 <= m)%nat -> (3 <= p)%nat -> order_conditions m p T -> within a b T ->
  is_RInt (fun t => t ^ 2 * peano m T t) a b 0.
Proof.
intros Hm Hp Ho Hin.
pose proof (peano_core m p T _ a b Hm Ho Hin (derivatives_power m (m + 2) 2 ltac:(lia))) as H. cbv beta in H.
assert (E : wsum T (fun t => 2 * (t ^ (m + 2 - 0) / INR (fact (m + 2 - 0)))) = 0).
{ rewrite Nat.sub_0_r. unfold Rdiv. rewrite wsum_scal, wsum_scal_r. fold (moment T (m + 2)).
  rewrite (moment_other m p) by (auto; lia). ring. }
rewrite E in H. revert H. apply is_RInt_ext. intros t _. replace (m + 2 - m)%nat with 2%nat by lia. simpl. field.
Qed.

(** ** The sign *)

Lemma peano_bounded m T a b : within a b T -> exists B, 0 < B /\ forall t, a <= t <= b -> peano m T t <= B.
Proof.
intros Hin. unfold peano.
enough (H : exists B, 0 < B /\ forall t, a <= t <= b -> wsum T (fun s => plus_power (m - 1) (s - t)) <= B).
{ destruct H as (B & HB & H). pose proof (lt_0_INR _ (lt_O_fact (m - 1))) as Hf.
  exists (B / INR (fact (m - 1))). split; [now apply Rdiv_lt_0_compat|]. intros t Ht.
  apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, Hf | now apply H]. }
induction T as [|sc T IH].
- exists 1. split; [lra|]. intros t _. simpl. lra.
- destruct IH as (B & HB & H); [intros sc' Hsc; apply Hin; now right|].
  pose proof (Hin sc (or_introl eq_refl)) as Hsc.
  assert (Hp : forall t, a <= t <= b -> 0 <= plus_power (m - 1) (node sc - t) <= (b - a) ^ (m - 1)).
  { intros t Ht. unfold plus_power. destruct (Rlt_dec 0 (node sc - t)).
    - split; [apply pow_le; lra | apply pow_incr; lra].
    - split; [lra | apply pow_le; lra]. }
  exists (Rabs (weight sc) * (b - a) ^ (m - 1) + B). split.
  + assert (0 <= Rabs (weight sc) * (b - a) ^ (m - 1)); [|lra].
    apply Rmult_le_pos; [apply Rabs_pos | apply pow_le; lra].
  + intros t Ht. simpl. apply Rplus_le_compat; [|now apply H]. destruct (Hp t Ht) as [H0 H1].
    apply Rle_trans with (Rabs (weight sc) * plus_power (m - 1) (node sc - t)).
    * apply Rmult_le_compat_r; [exact H0 | apply Rle_abs].
    * apply Rmult_le_compat_l; [apply Rabs_pos | exact H1].
Qed.

Lemma is_RInt_bump e a b : 0 < e -> is_RInt (fun t => e * e / (e * e + t * t)) a b (e * (atan (b / e) - atan (a / e))).
Proof.
intros He.
replace (e * (atan (b / e) - atan (a / e))) with (minus (e * atan (b / e)) (e * atan (a / e))).
2: { unfold minus, plus, opp; simpl. ring. }
apply (is_RInt_derive (fun t => e * atan (t / e))).
- intros t _.
  replace (e * e / (e * e + t * t)) with (e * (/ e * (/ (1 + (t / e) ^ 2)))).
  + apply is_derive_scal. apply (is_derive_comp atan (fun t => t / e) t (/ (1 + (t / e) ^ 2)) (/ e)).
    * apply is_derive_Reals. apply derivable_pt_lim_atan.
    * auto_derive; [lra | field; lra].
  + field. split; [|lra]. nra.
- intros t _. apply (ex_derive_continuous (fun t => e * e / (e * e + t * t))). auto_derive. nra.
Qed.

(** A difference of order 3 or more is no average: for every m >= 1, p >= 3 and every stencil of real nodes in [a, b], the
    Peano kernel takes negative and positive values. *)
Theorem no_average_of_high_order m p T a b : (1 <= m)%nat -> (3 <= p)%nat -> a < b -> order_conditions m p T -> within a b T ->
  (exists t, peano m T t < 0) /\ (exists t, 0 < peano m T t).
Proof.
intros Hm Hp Hab Ho Hin.
pose proof (peano_integral m p T a b Hm ltac:(lia) Ho Hin) as H1.
pose proof (peano_second_moment m p T a b Hm Hp Ho Hin) as H2.
split; apply NNPP; intros Hno.
- assert (HK : forall t, 0 <= peano m T t).
  { intros t. apply Rnot_lt_le. intros Ht. apply Hno. now exists t. }
  destruct (peano_bounded m T a b Hin) as (B & HB & Hbound).
  pose proof PI_RGT_0 as Hpi.
  set (e := / (2 * B * PI)). assert (HBP : 0 < 2 * B * PI) by (apply Rmult_lt_0_compat; lra).
  assert (He : 0 < e) by (apply Rinv_0_lt_compat; exact HBP).
  pose proof (is_RInt_bump e a b He) as Hg.
  assert (Hee : 0 < e * e) by (apply Rmult_lt_0_compat; exact He).
  assert (Hle : 1 <= plus (scal (/ (e * e)) 0) (scal B (e * (atan (b / e) - atan (a / e))))).
  { apply (is_RInt_le (peano m T)
             (fun t => plus (scal (/ (e * e)) (t ^ 2 * peano m T t)) (scal B (e * e / (e * e + t * t)))) a b); [lra | exact H1 | |].
    - apply (is_RInt_plus (fun t => scal (/ (e * e)) (t ^ 2 * peano m T t)) (fun t => scal B (e * e / (e * e + t * t)))).
      + now apply (is_RInt_scal (fun t => t ^ 2 * peano m T t)).
      + now apply (is_RInt_scal (fun t => e * e / (e * e + t * t))).
    - intros t Ht. unfold plus, scal; simpl. unfold mult; simpl.
      pose proof (HK t) as K0. pose proof (Hbound t ltac:(lra)) as KB. set (K := peano m T t) in *.
      assert (Htt : 0 <= t * t) by apply Rle_0_sqr.
      assert (Hq : 0 < e * e + t * t) by lra.
      assert (G0 : 0 <= e * e / (e * e + t * t)) by (apply Rdiv_le_0_compat; lra).
      assert (G1 : 1 <= / (e * e) * (t * t) + e * e / (e * e + t * t)).
      { replace (/ (e * e) * (t * t) + e * e / (e * e + t * t))
          with (1 + (t * t) * (t * t) / (e * e * (e * e + t * t))) by (field; lra).
        assert (0 <= (t * t) * (t * t) / (e * e * (e * e + t * t))); [|lra].
        apply Rdiv_le_0_compat; [apply Rmult_le_pos; lra | apply Rmult_lt_0_compat; lra]. }
      apply Rle_trans with (K * (/ (e * e) * (t * t) + e * e / (e * e + t * t))).
      + rewrite <- (Rmult_1_r K) at 1. now apply Rmult_le_compat_l.
      + rewrite Rmult_plus_distr_l. apply Rplus_le_compat; [right; ring | now apply Rmult_le_compat_r]. }
  unfold plus, scal in Hle; simpl in Hle. unfold mult in Hle; simpl in Hle.
  pose proof (atan_bound (b / e)) as A1. pose proof (atan_bound (a / e)) as A2.
  assert (e * (atan (b / e) - atan (a / e)) <= e * PI) by (apply Rmult_le_compat_l; lra).
  assert (HBe : B * (e * (atan (b / e) - atan (a / e))) <= B * (e * PI)) by (apply Rmult_le_compat_l; lra).
  assert (E : B * (e * PI) = 1 / 2) by (unfold e; field; split; lra). lra.
- assert (HK : forall t, peano m T t <= 0).
  { intros t. apply Rnot_lt_le. intros Ht. apply Hno. now exists t. }
  assert (1 <= scal (b - a) 0).
  { apply (is_RInt_le (peano m T) (fun _ => 0) a b); [lra | exact H1 | apply (is_RInt_const (V := R_NormedModule)) |].
    intros t _. apply HK. }
  unfold scal in H; simpl in H. unfold mult in H; simpl in H. lra.
Qed.
