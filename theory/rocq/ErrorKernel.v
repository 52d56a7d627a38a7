(** * The error constant of a finite difference

    With N = m + p the error of a difference of d^m/dx^m of order p at 0, h = 1, is  integral of kappa(t) u^(N)(t) dt  with
    kappa(t) = sum_k c_k r(s_k, t) / (N-1)!,  r(s, t) = (s - t)^(N-1) for 0 <= t < s, - (s - t)^(N-1) for s < t < 0 and
    0 elsewhere: the second Peano kernel, here from Taylor's formula at 0, whose polynomial part is u^(m)(0) by the moment
    equations.  So C_p = integral of |kappa| bounds the error.  (ErrorBound.v, ErrorLeast.v: for W^(m+p, infinity), and nothing less.)
    A. Sard, Linear Approximation (1963). *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils MultipleAngles CentralSymbols BSplines Peano.
Import ListNotations.
Open Scope R_scope.

Definition remainder_kernel (n : nat) (s t : R) : R :=
  if Rle_dec 0 t then (if Rlt_dec t s then (s - t) ^ n else 0) else (if Rlt_dec s t then - (s - t) ^ n else 0).

(** The second Peano kernel. *)
Definition error_kernel (m p : nat) (T : stencil) (t : R) : R :=
  wsum T (fun s => remainder_kernel (m + p - 1) s t) / INR (fact (m + p - 1)).

(** ** The representation of the error *)

Lemma taylor_zero N (U : nat -> R -> R) a b s : (1 <= N)%nat -> derivatives N U -> a <= 0 <= b -> a <= s <= b ->
  is_RInt (fun t => remainder_kernel (N - 1) s t / INR (fact (N - 1)) * U N t) a b
    (U O s - psum (fun i => s ^ i / INR (fact i) * U i 0) N).
Proof.
intros HN [HU Hc] Hab Hs. destruct N as [|n]; [lia|]. replace (S n - 1)%nat with n by lia.
set (f := fun t => remainder_kernel n s t / INR (fact n) * U (S n) t).
set (g := fun t => psum (fun i => (s - t) ^ i / INR (fact i) * U i t) (S n)).
assert (Gs : g s = U O s).
{ unfold g. rewrite psum_shift, psum_zero.
  - simpl. field.
  - intros j _. rewrite (Rminus_diag_eq s) by reflexivity. rewrite pow_ne_zero by discriminate. unfold Rdiv. ring. }
assert (G0 : g 0 = psum (fun i => s ^ i / INR (fact i) * U i 0) (S n)).
{ unfold g. apply psum_ext. intros j _. now rewrite Rminus_0_r. }
assert (Hg : forall c d, is_RInt (fun t => (s - t) ^ n / INR (fact n) * U (S n) t) c d (minus (g d) (g c))).
{ intros c d. apply (is_RInt_derive g (fun t => (s - t) ^ n / INR (fact n) * U (S n) t)).
  - intros t _. now apply taylor_sum_derivative.
  - intros t _. apply (continuous_mult (fun t => (s - t) ^ n / INR (fact n)) (U (S n))); [|apply Hc].
    apply (continuous_mult (fun t => (s - t) ^ n) (fun _ => / INR (fact n))); [apply continuous_power | apply continuous_const]. }
assert (Hz : forall c d, c <= d -> (forall t, c < t < d -> remainder_kernel n s t = 0) -> is_RInt f c d 0).
{ intros c d Hcd H. apply (is_RInt_ext (fun _ => 0)).
  - intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. real_eq. unfold f. rewrite H by exact Ht. unfold Rdiv. ring.
  - pose proof (is_RInt_const (V := R_NormedModule) c d 0) as H0. unfold scal in H0; simpl in H0. unfold mult in H0; simpl in H0.
    rewrite Rmult_0_r in H0. exact H0. }
rewrite <- Gs, <- G0. destruct (Rle_dec 0 s) as [Hp | Hp].
- assert (H2 : is_RInt f 0 s (minus (g s) (g 0))).
  { apply (is_RInt_ext (fun t => (s - t) ^ n / INR (fact n) * U (S n) t)); [|apply Hg].
    intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. unfold f, remainder_kernel.
    destruct (Rle_dec 0 t); [|lra]. destruct (Rlt_dec t s); [reflexivity | lra]. }
  assert (H1 : is_RInt f a 0 0).
  { apply Hz; [lra|]. intros t Ht. unfold remainder_kernel. destruct (Rle_dec 0 t); [lra|]. destruct (Rlt_dec s t); lra. }
  assert (H3 : is_RInt f s b 0).
  { apply Hz; [lra|]. intros t Ht. unfold remainder_kernel. destruct (Rle_dec 0 t); [|lra]. destruct (Rlt_dec t s); lra. }
  pose proof (is_RInt_Chasles f a 0 b _ _ H1 (is_RInt_Chasles f 0 s b _ _ H2 H3)) as H.
  replace (g s - g 0) with (plus 0 (plus (minus (g s) (g 0)) 0)); [exact H|].
  unfold plus, minus, plus, opp; simpl. ring.
- assert (H2 : is_RInt f s 0 (opp (minus (g 0) (g s)))).
  { pose proof (is_RInt_opp (fun t => (s - t) ^ n / INR (fact n) * U (S n) t) s 0 _ (Hg s 0)) as Hopp.
    revert Hopp. apply is_RInt_ext.
    intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. unfold f, remainder_kernel.
    destruct (Rle_dec 0 t); [lra|]. destruct (Rlt_dec s t); [|lra]. unfold opp; simpl. unfold Rdiv. ring. }
  assert (H1 : is_RInt f a s 0).
  { apply Hz; [lra|]. intros t Ht. unfold remainder_kernel. destruct (Rle_dec 0 t); [lra|]. destruct (Rlt_dec s t); lra. }
  assert (H3 : is_RInt f 0 b 0).
  { apply Hz; [lra|]. intros t Ht. unfold remainder_kernel. destruct (Rle_dec 0 t); [|lra]. destruct (Rlt_dec t s); lra. }
  pose proof (is_RInt_Chasles f a s b _ _ H1 (is_RInt_Chasles f s 0 b _ _ H2 H3)) as H.
  replace (g s - g 0) with (plus 0 (plus (opp (minus (g 0) (g s))) 0)); [exact H|].
  unfold plus, minus, plus, opp; simpl. ring.
Qed.

Lemma psum_single f n m : (m < n)%nat -> (forall j, (j < n)%nat -> j <> m -> f j = 0) -> psum f n = f m.
Proof.
induction n as [|n IH]; intros Hm H; [lia|]. simpl. destruct (Nat.eq_dec m n) as [-> | Hne].
- rewrite psum_zero; [ring|]. intros j Hj. apply H; lia.
- rewrite IH, (H n) by (try lia; intros j Hj Hjm; apply H; lia). ring.
Qed.

(** The error of the difference at 0 with h = 1 is the integral of kappa u^(m+p). *)
Theorem error_representation m p T (U : nat -> R -> R) a b : (1 <= p)%nat -> order_conditions m p T -> a <= 0 <= b ->
  within a b T -> derivatives (m + p) U ->
  is_RInt (fun t => error_kernel m p T t * U (m + p)%nat t) a b (wsum T (U O) - U m 0).
Proof.
intros Hp Ho Hab Hin HU.
assert (E : wsum T (fun s => U O s - psum (fun i => s ^ i / INR (fact i) * U i 0) (m + p)) = wsum T (U O) - U m 0).
{ rewrite wsum_minus, wsum_psum. f_equal.
  rewrite (psum_ext _ (fun i => moment T i * (/ INR (fact i) * U i 0))).
  2: { intros i _. unfold moment. rewrite <- wsum_scal_r. apply wsum_ext_all. intros s. unfold Rdiv. ring. }
  rewrite (psum_single _ (m + p) m); [|lia|].
  - rewrite (moment_own m p) by auto. field. apply INR_fact_neq_0.
  - intros j Hj Hne. rewrite (moment_other m p) by auto. ring. }
rewrite <- E.
apply (is_RInt_ext (fun t => wsum T (fun s => remainder_kernel (m + p - 1) s t / INR (fact (m + p - 1)) * U (m + p)%nat t))).
{ intros t _. unfold error_kernel. unfold Rdiv. rewrite <- wsum_scal_r, <- wsum_scal_r. reflexivity. }
apply (is_RInt_wsum T (fun s t => remainder_kernel (m + p - 1) s t / INR (fact (m + p - 1)) * U (m + p)%nat t)).
intros sc Hsc. apply taylor_zero; auto. lia.
Qed.

(** |kappa| is integrable: C_p exists. *)
Lemma error_kernel_integrable m p T a b : (1 <= p)%nat -> order_conditions m p T -> a <= 0 <= b -> within a b T ->
  ex_RInt (fun t => Rabs (error_kernel m p T t)) a b.
Proof.
intros Hp Ho Hab Hin. apply ex_RInt_Reals_1, RiemannInt_P16, ex_RInt_Reals_0.
pose proof (error_representation m p T _ a b Hp Ho Hab Hin (derivatives_power (m + p) (m + p) 1 (le_n _))) as H.
cbv beta in H.
apply (ex_RInt_ext (fun t => error_kernel m p T t * (1 * (t ^ (m + p - (m + p)) / INR (fact (m + p - (m + p))))))).
- intros t _. rewrite Nat.sub_diag. simpl. field.
- eexists. exact H.
Qed.

(** The error constant, for nodes (and 0) in [a, b]. *)
Definition error_constant (m p : nat) (T : stencil) (a b : R) : R := RInt (fun t => Rabs (error_kernel m p T t)) a b.

Lemma error_constant_is m p T a b : (1 <= p)%nat -> order_conditions m p T -> a <= 0 <= b -> within a b T ->
  is_RInt (fun t => Rabs (error_kernel m p T t)) a b (error_constant m p T a b).
Proof. intros Hp Ho Hab Hin. apply (RInt_correct (V := R_CompleteNormedModule)), (error_kernel_integrable m p T a b); auto. Qed.

(** The bound for functions of class C^(m+p), h = 1, x = 0. *)
Lemma error_bound_smooth m p T (U : nat -> R -> R) a b L : (1 <= p)%nat -> order_conditions m p T -> a <= 0 <= b ->
  within a b T -> derivatives (m + p) U -> (forall t, a <= t <= b -> Rabs (U (m + p)%nat t) <= L) ->
  Rabs (wsum T (U O) - U m 0) <= error_constant m p T a b * L.
Proof.
intros Hp Ho Hab Hin HU HL.
pose proof (error_representation m p T U a b Hp Ho Hab Hin HU) as H.
pose proof (error_constant_is m p T a b Hp Ho Hab Hin) as HC.
apply (is_RInt_scal (fun t => Rabs (error_kernel m p T t)) a b L) in HC.
replace (error_constant m p T a b * L) with (scal L (error_constant m p T a b)) by apply Rmult_comm.
refine (norm_RInt_le _ _ a b _ _ _ _ H HC); [lra|].
intros t Ht. unfold norm, scal; simpl. unfold abs, mult; simpl. rewrite Rabs_mult, Rmult_comm.
apply Rmult_le_compat_r; [apply Rabs_pos | now apply HL].
Qed.
