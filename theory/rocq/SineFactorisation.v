(** * Finite differences of waves: the Fourier symbol and the sine factorisation

    The symbol of a difference of the m-th derivative is  m(theta) = (sum_k c_k e^{i s_k theta}) / (i theta)^m.
    For a symmetric stencil of the parity of m it is real, and the difference of a feature sin(w x + b) or
    cos(w x + b) is its m-th derivative times m(h w), exactly, for every w, b, x and h: entry by entry
    A_FD = A_AD diag(m(h w_j)).  The proof inserts  w (x + s h) + b = (w x + b + m pi/2) + (s h w - m pi/2)
    into the addition theorem; the second sum vanishes by symmetry. *)
From Coq Require Import Reals List Lia Lra Permutation.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils.
Import ListNotations.
Open Scope R_scope.

(** ** The symbol *)

(** Real and imaginary part of  (sum_k c_k e^{i s_k theta}) / (i theta)^m,  since  1 / i^m = e^{- i m pi/2}. *)
Definition symbol (m : nat) (S : stencil) (theta : R) : R :=
  wsum S (fun s => cos (s * theta - INR m * (PI / 2))) / theta ^ m.
Definition symbol_im (m : nat) (S : stencil) (theta : R) : R :=
  wsum S (fun s => sin (s * theta - INR m * (PI / 2))) / theta ^ m.

(** The symbol as the quotient of complex numbers that textbooks write. *)
Fixpoint Cpower (z : C) (n : nat) : C := match n with O => 1%C | S n' => (z * Cpower z n')%C end.
Definition expi (t : R) : C := (cos t, sin t).
Fixpoint wsumC (S : stencil) (f : R -> C) : C :=
  match S with [] => 0%C | sc :: S' => (RtoC (weight sc) * f (node sc) + wsumC S' f)%C end.
Definition symbolC (m : nat) (S : stencil) (theta : R) : C :=
  (wsumC S (fun s => expi (s * theta)) / Cpower (Ci * RtoC theta) m)%C.

Lemma expi_plus s t : expi (s + t) = (expi s * expi t)%C.
Proof. unfold expi, Cmult; simpl; rewrite cos_plus, sin_plus; f_equal; ring. Qed.

Lemma expi_half_pi m : expi (INR m * (PI / 2)) = Cpower Ci m.
Proof.
induction m as [|m IH].
- simpl. rewrite Rmult_0_l. unfold expi; now rewrite cos_0, sin_0.
- rewrite S_INR, Rmult_plus_distr_r, Rmult_1_l, expi_plus, IH; simpl.
  unfold expi; rewrite cos_PI2, sin_PI2. unfold Ci. apply Cmult_comm.
Qed.

Lemma Cpower_mult y z n : Cpower (y * z)%C n = (Cpower y n * Cpower z n)%C.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma Cpower_RtoC x n : Cpower (RtoC x) n = RtoC (x ^ n).
Proof. induction n as [|n IH]; simpl; [|rewrite IH, RtoC_mult]; reflexivity. Qed.

Lemma expi_neg t : (expi (- t) * expi t)%C = 1%C.
Proof. rewrite <- expi_plus. replace (- t + t) with 0 by ring. unfold expi; now rewrite cos_0, sin_0. Qed.

Lemma Ci_neq_0 : Ci <> 0%C.
Proof. intros H; injection H; lra. Qed.

Lemma Cpower_neq_0 (z : C) n : z <> 0%C -> Cpower z n <> 0%C.
Proof.
intros Hz; induction n as [|n IH]; simpl.
- intros H; injection H; lra.
- apply Cmult_neq_0; [exact Hz | exact IH].
Qed.

Lemma wsumC_expi S theta a :
  wsumC S (fun s => (expi (s * theta) * expi a)%C)
  = (wsum S (fun s => cos (s * theta + a)), wsum S (fun s => sin (s * theta + a))).
Proof.
induction S as [|sc S IH]; simpl; [reflexivity|].
rewrite IH, <- expi_plus. unfold expi, Cplus, Cmult, RtoC; simpl. f_equal; ring.
Qed.

Lemma wsumC_scal S f a : wsumC S (fun s => (f s * a)%C) = (wsumC S f * a)%C.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

(** The two real definitions are the parts of the complex symbol. *)
Theorem symbolC_parts m S theta : theta <> 0 -> symbolC m S theta = (symbol m S theta, symbol_im m S theta).
Proof.
intros Ht. unfold symbolC, symbol, symbol_im.
rewrite Cpower_mult, Cpower_RtoC.
set (a := - (INR m * (PI / 2))).
assert (Hi : Cinv (Cpower Ci m) = expi a).
{ pose proof (expi_neg (INR m * (PI / 2))) as E. rewrite (expi_half_pi m) in E. fold a in E.
  pose proof (Cpower_neq_0 Ci m Ci_neq_0) as Hn.
  rewrite <- (Cmult_1_r (Cinv (Cpower Ci m))), <- E. field; exact Hn. }
assert (Hp : theta ^ m <> 0) by now apply pow_nonzero.
assert (Hq : RtoC (theta ^ m) <> 0%C) by (intros H; apply Hp; now injection H).
transitivity (wsumC S (fun s => expi (s * theta)) * Cinv (Cpower Ci m) * Cinv (RtoC (theta ^ m)))%C.
{ field. split; [exact Hq | exact (Cpower_neq_0 Ci m Ci_neq_0)]. }
rewrite Hi, <- wsumC_scal, wsumC_expi, <- RtoC_inv by exact Hp.
unfold Cmult, RtoC, Rminus; simpl. fold a. unfold Rdiv. f_equal; ring.
Qed.

(** A symmetric stencil of the parity of m has a real symbol. *)
Lemma symmetric_im m S theta : symmetric m S -> wsum S (fun s => sin (s * theta - INR m * (PI / 2))) = 0.
Proof.
intros H.
assert (E : (-1) ^ m * wsum S (fun s => sin (- s * theta - INR m * (PI / 2)))
            = - wsum S (fun s => sin (s * theta - INR m * (PI / 2)))).
{ replace (- wsum S (fun s => sin (s * theta - INR m * (PI / 2))))
    with ((-1) * wsum S (fun s => sin (s * theta - INR m * (PI / 2)))) by ring.
  rewrite <- !wsum_scal. apply wsum_ext_all; intros s.
  replace (- s * theta - INR m * (PI / 2)) with (- (s * theta - INR m * (PI / 2) + INR m * PI)) by field.
  rewrite sin_neg.
  assert (Hs : forall n z, sin (z + INR n * PI) = (-1) ^ n * sin z).
  { induction n as [|n IHn]; intros z.
    - simpl; rewrite Rmult_0_l, Rplus_0_r; ring.
    - rewrite S_INR. replace (z + (INR n + 1) * PI) with (z + INR n * PI + PI) by ring.
      rewrite neg_sin, IHn; simpl; ring. }
  rewrite Hs.
  assert (Hq : (-1) ^ m * (-1) ^ m = 1).
  { rewrite <- Rpow_mult_distr. replace (-1 * -1) with 1 by ring. apply pow1. }
  transitivity (- (((-1) ^ m * (-1) ^ m) * sin (s * theta - INR m * (PI / 2)))); [ring | rewrite Hq; ring]. }
pose proof (wsum_symmetric m S (fun s => sin (s * theta - INR m * (PI / 2))) H) as E'.
simpl in E'. rewrite E in E'. lra.
Qed.

Theorem symbol_real m S theta : symmetric m S -> theta <> 0 -> symbolC m S theta = RtoC (symbol m S theta).
Proof.
intros H Ht. rewrite symbolC_parts by exact Ht. unfold symbol_im. rewrite symmetric_im by exact H.
unfold RtoC. f_equal. unfold Rdiv; ring.
Qed.

(** ** The derivatives of the features *)

Lemma Derive_n_sin m w b x :
  is_derive_n (fun y => sin (w * y + b)) m x (w ^ m * sin (w * x + b + INR m * (PI / 2))).
Proof.
revert x; induction m as [|m IH]; intros x.
- simpl. rewrite Rmult_1_l, Rmult_0_l, Rplus_0_r. reflexivity.
- rewrite S_INR.
  apply (is_derive_ext (fun y => w ^ m * sin (w * y + b + INR m * (PI / 2)))).
  { intros y. symmetry. apply is_derive_n_unique, IH. }
  auto_derive; [exact I|].
  replace (w * x + b + (INR m + 1) * (PI / 2)) with (PI / 2 + (w * x + b + INR m * (PI / 2))) by ring.
  rewrite <- cos_sin. simpl; ring.
Qed.

Lemma Derive_n_cos m w b x :
  is_derive_n (fun y => cos (w * y + b)) m x (w ^ m * cos (w * x + b + INR m * (PI / 2))).
Proof.
apply (is_derive_n_ext (fun y => sin (w * y + (b + PI / 2)))).
{ intros y. rewrite cos_sin. f_equal. ring. }
replace (cos (w * x + b + INR m * (PI / 2))) with (sin (w * x + (b + PI / 2) + INR m * (PI / 2))).
2: { rewrite cos_sin. f_equal. ring. }
apply Derive_n_sin.
Qed.

(** ** The factorisation of one feature *)

(** The sum over a symmetric stencil of a shifted sine. *)
Lemma wsum_sin m S theta z : symmetric m S ->
  wsum S (fun s => sin (z + s * theta))
  = sin (z + INR m * (PI / 2)) * wsum S (fun s => cos (s * theta - INR m * (PI / 2))).
Proof.
intros H.
rewrite (wsum_ext_all S _ (fun s => sin (z + INR m * (PI / 2)) * cos (s * theta - INR m * (PI / 2))
                                    + cos (z + INR m * (PI / 2)) * sin (s * theta - INR m * (PI / 2)))).
2: { intros s. rewrite <- sin_plus. f_equal. ring. }
rewrite wsum_plus, !wsum_scal, symmetric_im by exact H. ring.
Qed.

(** The difference of a sine feature is its m-th derivative times the symbol at h w: for every frequency w other than 0,
    and for w = 0 as well when the weights sum to zero. *)
Theorem FD_sin m S h w b x : symmetric m S -> h <> 0 -> w <> 0 \/ moment S 0 = 0 ->
  FD m S h (fun y => sin (w * y + b)) x = symbol m S (h * w) * Derive_n (fun y => sin (w * y + b)) m x.
Proof.
intros H Hh Hw.
rewrite (is_derive_n_unique _ _ _ _ (Derive_n_sin m w b x)).
unfold FD, symbol.
rewrite (wsum_ext_all S (fun s => sin (w * (x + s * h) + b)) (fun s => sin (w * x + b + s * (h * w)))).
2: { intros s. f_equal. ring. }
rewrite (wsum_sin m) by exact H.
assert (Hp : h ^ m <> 0) by now apply pow_nonzero.
destruct (Req_dec w 0) as [W | W].
- subst w. destruct Hw as [Hw | Hw]; [now elim Hw |].
  rewrite Rmult_0_r, (wsum_ext_all S _ (fun _ => cos (0 - INR m * (PI / 2)))).
  2: { intros s. f_equal. ring. }
  rewrite wsum_const, Hw. unfold Rdiv; ring.
- assert (Hq : w ^ m <> 0) by now apply pow_nonzero.
  rewrite Rpow_mult_distr. field. now split.
Qed.

Theorem FD_cos m S h w b x : symmetric m S -> h <> 0 -> w <> 0 \/ moment S 0 = 0 ->
  FD m S h (fun y => cos (w * y + b)) x = symbol m S (h * w) * Derive_n (fun y => cos (w * y + b)) m x.
Proof.
intros H Hh Hw.
assert (E : forall y, cos (w * y + b) = sin (w * y + (b + PI / 2))).
{ intros y. rewrite cos_sin. f_equal. ring. }
rewrite (Derive_n_ext _ (fun y => sin (w * y + (b + PI / 2)))) by exact E.
rewrite <- FD_sin by assumption. unfold FD. f_equal. apply wsum_ext_all. intros s. apply E.
Qed.

(** ** The matrices *)

(** Entry (i, j) of the matrices of a differential operator d^m/dx^m at points x_i on features sigma(w_j x + b_j). *)
Definition A_AD (sigma : R -> R) (m : nat) (w b x : nat -> R) (i j : nat) : R :=
  Derive_n (fun y => sigma (w j * y + b j)) m (x i).
Definition A_FD (sigma : R -> R) (m : nat) (S : stencil) (h : R) (w b x : nat -> R) (i j : nat) : R :=
  FD m S h (fun y => sigma (w j * y + b j)) (x i).

(** The derivatives exist, so that [Derive_n] in A_AD is the m-th derivative. *)
Lemma A_AD_exists sigma m w b x i j : sigma = sin \/ sigma = cos ->
  is_derive_n (fun y => sigma (w j * y + b j)) m (x i) (A_AD sigma m w b x i j).
Proof.
intros [-> | ->]; unfold A_AD.
- rewrite (is_derive_n_unique _ _ _ _ (Derive_n_sin m _ _ _)). apply Derive_n_sin.
- rewrite (is_derive_n_unique _ _ _ _ (Derive_n_cos m _ _ _)). apply Derive_n_cos.
Qed.

(** The sine factorisation  A_FD = A_AD diag(m(h w_j)):  sine or cosine features with any weights and biases, any points,
    any order m of the derivative, any step h <> 0, any symmetric stencil of the parity of m.  Frequencies w_j = 0 are
    allowed when the weights of the stencil sum to zero, as those of every consistent difference with m >= 1 do. *)
Theorem sine_factorisation sigma m S h w b x : sigma = sin \/ sigma = cos -> symmetric m S -> h <> 0 ->
  (forall j, w j <> 0) \/ moment S 0 = 0 ->
  forall i j, A_FD sigma m S h w b x i j = A_AD sigma m w b x i j * symbol m S (h * w j).
Proof.
intros Hs H Hh Hw i j. unfold A_FD, A_AD.
assert (Hj : w j <> 0 \/ moment S 0 = 0) by (destruct Hw as [Hw | Hw]; [left; apply Hw | now right]).
destruct Hs as [-> | ->]; [rewrite FD_sin | rewrite FD_cos]; auto; ring.
Qed.

(** For a difference of the m-th derivative, m >= 1, of order at least 1 no condition on the frequencies is left. *)
Corollary sine_factorisation_consistent sigma m p S h w b x : sigma = sin \/ sigma = cos ->
  (1 <= m)%nat -> order_conditions m p S -> symmetric m S -> h <> 0 ->
  forall i j, A_FD sigma m S h w b x i j = A_AD sigma m w b x i j * symbol m S (h * w j).
Proof.
intros Hs Hm Ho H Hh. apply sine_factorisation; auto. right. now apply (order_conditions_sum m p).
Qed.

(** Without the condition at w = 0 it fails: the symmetric "difference" u(x) / h^2 of u'' and the constant feature
    sin(0 x + pi/2) = 1, whose second derivative is zero. *)
Lemma sine_factorisation_fails_at_zero :
  symmetric 2 [(0, 1)] /\ FD 2 [(0, 1)] 1 (fun y => sin (0 * y + PI / 2)) 0 = 1
  /\ Derive_n (fun y => sin (0 * y + PI / 2)) 2 0 = 0.
Proof.
split; [|split].
- unfold symmetric, reflect; simpl. unfold node, weight; simpl.
  replace (- 0) with 0 by ring. replace (-1 * (-1 * 1) * 1) with 1 by ring. apply Permutation_refl.
- unfold FD, wsum, node, weight; simpl. replace (0 * (0 + 0 * 1) + PI / 2) with (PI / 2) by ring.
  rewrite sin_PI2. field.
- rewrite (is_derive_n_unique _ _ _ _ (Derive_n_sin 2 0 (PI / 2) 0)). simpl; ring.
Qed.
