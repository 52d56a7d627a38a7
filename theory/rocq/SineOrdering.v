(** * Singular values of finite difference matrices of sine, cosine and exponential features

    A_AD has the entries (d/dx)^m sigma(w_j x + b_j) at x = x_i, A_FD those of a finite difference, M points and N
    features.  As A_FD = A_AD diag(m(h w_j)) for sine and cosine features, Ostrowski's bounds for scaled columns order
    the singular values; exponential features have a factor sinhc^2 >= 1 instead, and the order reverses.
    The factorisations are those of [SineFactorisation.v] and [ExponentialFeatures.v], the bound of the symbol that of
    [CentralSymbols.v], the singular values those of [Spectral.v]. *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From adfd Require Import Stencils SineFactorisation CentralSymbols ExponentialFeatures.
Open Scope R_scope.

(** ** Entries *)

(** The factor of a column: the symbol, and at 0 its limit there, which is 1 ([CentralSymbols.symbol_limit]). *)
Definition factor (m : nat) (S : stencil) (theta : R) : R := if Req_EM_T theta 0 then 1 else symbol m S theta.

(** A feature of frequency 0 is a constant: its derivatives vanish, and so do its differences. *)
Lemma A_AD_constant sigma m w b x i j : (1 <= m)%nat -> w j = 0 -> A_AD sigma m w b x i j = 0.
Proof.
intros Hm Hw. unfold A_AD. rewrite (Derive_n_ext _ (fun _ => sigma (b j))).
2: { intros t. f_equal. rewrite Hw. ring. }
destruct m as [|m]; [lia | apply Derive_n_const].
Qed.
Lemma A_FD_constant sigma m S h w b x i j : moment S 0 = 0 -> w j = 0 -> A_FD sigma m S h w b x i j = 0.
Proof.
intros HS Hw. unfold A_FD, FD. rewrite (wsum_ext_all S _ (fun _ => sigma (b j))).
2: { intros s. f_equal. rewrite Hw. ring. }
rewrite wsum_const, HS. unfold Rdiv. ring.
Qed.

(** The factorisation whenever the symbol is real. *)
Lemma FD_real_symbol sigma m S h w b x : sigma = sin \/ sigma = cos -> h <> 0 -> w <> 0 -> symbol_im m S (h * w) = 0 ->
  FD m S h (fun y => sigma (w * y + b)) x = Derive_n (fun y => sigma (w * y + b)) m x * symbol m S (h * w).
Proof.
intros Hs Hh Hw Him.
assert (Hp : h ^ m <> 0) by now apply pow_nonzero. assert (Hq : w ^ m <> 0) by now apply pow_nonzero.
assert (Hsum : wsum S (fun s => sin (s * (h * w) - INR m * (PI / 2))) = 0).
{ unfold symbol_im in Him. apply Rmult_integral in Him. destruct Him as [Him | Him]; [exact Him|].
  elim (Rinv_neq_0_compat ((h * w) ^ m)); [apply pow_nonzero; now apply Rmult_integral_contrapositive | exact Him]. }
assert (main : forall z, FD m S h (fun y => sin (w * y + z)) x
                         = w ^ m * sin (w * x + z + INR m * (PI / 2)) * symbol m S (h * w)).
{ intros z. unfold FD, symbol.
  rewrite (wsum_ext_all S (fun s => sin (w * (x + s * h) + z))
    (fun s => sin (w * x + z + INR m * (PI / 2)) * cos (s * (h * w) - INR m * (PI / 2))
              + cos (w * x + z + INR m * (PI / 2)) * sin (s * (h * w) - INR m * (PI / 2)))).
  2: { intros s. rewrite <- sin_plus. f_equal. ring. }
  rewrite wsum_plus, !wsum_scal, Hsum, Rpow_mult_distr. field. now split. }
destruct Hs as [-> | ->].
- rewrite (is_derive_n_unique _ _ _ _ (Derive_n_sin m w b x)). apply main.
- rewrite (is_derive_n_unique _ _ _ _ (Derive_n_cos m w b x)).
  assert (E : forall y, cos (y) = sin (y + PI / 2)) by (intros y; rewrite cos_sin; f_equal; ring).
  rewrite (E (w * x + b + INR m * (PI / 2))).
  replace (w * x + b + INR m * (PI / 2) + PI / 2) with (w * x + (b + PI / 2) + INR m * (PI / 2)) by ring.
  rewrite <- main. unfold FD. f_equal. apply wsum_ext_all. intros s. rewrite E. f_equal. ring.
Qed.
Lemma entries_real_symbol sigma m S h w b x : sigma = sin \/ sigma = cos -> (1 <= m)%nat -> moment S 0 = 0 ->
  (forall theta, theta <> 0 -> symbol_im m S theta = 0) -> h <> 0 ->
  forall i j, A_FD sigma m S h w b x i j = A_AD sigma m w b x i j * factor m S (h * w j).
Proof.
intros Hs Hm HS Him Hh i j. unfold factor. destruct (Req_EM_T (h * w j) 0) as [H0 | H0].
- assert (Hw : w j = 0) by (apply Rmult_integral in H0; tauto).
  rewrite A_FD_constant, A_AD_constant by assumption. ring.
- apply FD_real_symbol; auto. intros H. apply H0. rewrite H. ring.
Qed.
Lemma entries_central sigma m p S h w b x : sigma = sin \/ sigma = cos -> standard_central m p S -> h <> 0 ->
  forall i j, A_FD sigma m S h w b x i j = A_AD sigma m w b x i j * factor m S (h * w j).
Proof.
intros Hs H. assert (H' := H). destruct H' as (Hm & Hp & _ & _ & Ho).
apply entries_real_symbol; auto; [now apply (order_conditions_sum m p) |].
intros theta Ht. pose proof (central_real m p S theta H Ht) as E. rewrite symbolC_parts in E by exact Ht.
now injection E.
Qed.
Lemma entries_symmetric sigma m p S h w b x : sigma = sin \/ sigma = cos -> (1 <= m)%nat -> order_conditions m p S ->
  symmetric m S -> h <> 0 ->
  forall i j, A_FD sigma m S h w b x i j = A_AD sigma m w b x i j * factor m S (h * w j).
Proof.
intros Hs Hm Ho Hsym. apply entries_real_symbol; auto; [now apply (order_conditions_sum m p) |].
intros theta _. unfold symbol_im. rewrite symmetric_im by exact Hsym. unfold Rdiv. ring.
Qed.
Lemma factor_central m p S theta : standard_central m p S -> Rabs (factor m S theta) <= 1.
Proof.
intros H. unfold factor. destruct (Req_EM_T theta 0) as [Ht | Ht]; [rewrite Rabs_R1; lra|].
rewrite <- Cmod_R, <- (central_real m p) by assumption. now apply (central_bounded m p).
Qed.

(** Exponential features and the central second difference of order 2: the factor, sinhc^2, is at least 1. *)
Definition exp_factor (theta : R) : R := if Req_EM_T theta 0 then 1 else (sinh (theta / 2) / (theta / 2)) ^ 2.
Lemma entries_exp h w b x : h <> 0 ->
  forall i j, A_FD exp 2 second_difference h w b x i j = A_AD exp 2 w b x i j * exp_factor (h * w j).
Proof.
intros Hh i j. unfold exp_factor. destruct (Req_EM_T (h * w j) 0) as [H0 | H0].
- assert (Hw : w j = 0) by (apply Rmult_integral in H0; tauto).
  rewrite A_FD_constant, A_AD_constant; [ring | lia | exact Hw | | exact Hw].
  unfold moment, second_difference, wsum, node, weight; simpl. ring.
- unfold A_FD, A_AD. rewrite FD_exp, exp_symbol_second by (auto; left; intros H; apply H0; rewrite H; ring). ring.
Qed.
Lemma exp_factor_ge_1 theta : 1 <= exp_factor theta.
Proof.
unfold exp_factor. destruct (Req_EM_T theta 0) as [Ht | Ht]; [lra|].
rewrite <- exp_symbol_second by exact Ht. now apply exp_symbol_second_ge_1.
Qed.

Lemma exp_factor_1_2 : 0 < exp_factor 1 /\ exp_factor 1 < exp_factor 2.
Proof.
unfold exp_factor. destruct (Req_EM_T 1 0) as [H|_]; [lra|]. destruct (Req_EM_T 2 0) as [H|_]; [lra|].
unfold sinh. split; interval.
Qed.

(** Entries of two counterexamples. *)
Definition zero (_ : nat) : R := 0.
Definition twice (_ : nat) : R := 2.
Definition one_two (j : nat) : R := INR (S j).
Lemma entries_order_4 i j : A_AD exp 2 twice zero zero i j = 4 /\
  A_FD exp 2 second_difference_4 1 twice zero zero i j = 4 * exp_symbol 2 second_difference_4 2.
Proof.
assert (E : A_AD exp 2 twice zero zero i j = 4).
{ unfold A_AD. rewrite (is_derive_n_unique _ _ _ _ (Derive_n_exp 2 _ _ _)). unfold twice, zero.
  replace (2 * 0 + 0) with 0 by ring. rewrite exp_0. ring. }
split; [exact E|]. unfold A_AD in E. unfold A_FD. rewrite FD_exp; [|lra | left; unfold twice; lra].
rewrite E. unfold twice. replace (1 * 2) with 2 by ring. ring.
Qed.
Lemma entries_boundary : exists c xi f1 f2, 0 < f1 /\ f1 < f2 /\ f1 * c = 4 * f2 /\ 4 < c /\
  exp (one_two 0 * xi + 0) = c /\ exp (one_two 1 * xi + 0) = c * c /\
  A_AD exp 2 one_two zero zero 0 0 = 1 /\ A_AD exp 2 one_two zero zero 0 1 = 4 /\
  A_FD exp 2 second_difference 1 one_two zero zero 0 0 = f1 /\
  A_FD exp 2 second_difference 1 one_two zero zero 0 1 = 4 * f2.
Proof.
destruct exp_factor_1_2 as [H1 H2]. set (f1 := exp_factor 1) in *. set (f2 := exp_factor 2) in *.
assert (Hc : 4 < 4 * f2 / f1) by (apply (Rmult_lt_reg_r f1); [lra|]; unfold Rdiv; rewrite (Rmult_assoc (4 * f2)), Rinv_l by lra; lra).
assert (E : forall j, A_AD exp 2 one_two zero zero 0 j = one_two j ^ 2).
{ intros j. unfold A_AD. rewrite (is_derive_n_unique _ _ _ _ (Derive_n_exp 2 _ _ _)). unfold zero.
  replace (one_two j * 0 + 0) with 0 by ring. rewrite exp_0. ring. }
exists (4 * f2 / f1), (ln (4 * f2 / f1)), f1, f2.
assert (X : exp (ln (4 * f2 / f1)) = 4 * f2 / f1) by (apply exp_ln; lra).
repeat split; auto.
- field. lra.
- unfold one_two. simpl. rewrite Rmult_1_l, Rplus_0_r. exact X.
- unfold one_two. simpl. rewrite Rplus_0_r, Rmult_plus_distr_r, Rmult_1_l, exp_plus, X. reflexivity.
- rewrite E. unfold one_two. simpl. ring.
- rewrite E. unfold one_two. simpl. ring.
- rewrite entries_exp by lra. rewrite E. unfold one_two. simpl. rewrite !Rmult_1_l. reflexivity.
- rewrite entries_exp by lra. rewrite E. unfold one_two. simpl. replace (1 * (1 + 1)) with 2 by ring. fold f2. ring.
Qed.

Lemma factor_order_4 : 0 <= exp_symbol 2 second_difference_4 2 /\ exp_symbol 2 second_difference_4 2 < 1.
Proof. pose proof exp_symbol_order_4. split; lra. Qed.
Lemma null_rows c f1 f2 : f1 * c = 4 * f2 -> c * f1 + - f1 * c = 0 /\ c * (4 * f2) + - f1 * (c * c) = 0.
Proof. intros E. rewrite <- E. split; ring. Qed.
Lemma free_rows c x y : 4 < c -> x * 1 + y * c = 0 -> x * 4 + y * (c * c) = 0 -> x = 0 /\ y = 0.
Proof.
intros Hc E1 E2. assert (E : y * (c * (c - 4)) = 0) by (replace x with (- (y * c)) in E2 by lra; lra).
assert (y = 0) by (apply Rmult_integral in E; destruct E as [E|E]; [exact E | nra]). subst y. lra.
Qed.

(** ** Matrices *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import SingularValues Spectral Training.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** The matrices of M points and N features; from here on [sigma k] is the k-th singular value. *)
Definition AD (act : R -> R) (m : nat) (w b x : nat -> R) (M N : nat) : 'M[R]_(M, N) :=
  \matrix_(i, j) A_AD act m w b x i j.
Definition FD (act : R -> R) (m : nat) (S : stencil) (h : R) (w b x : nat -> R) (M N : nat) : 'M[R]_(M, N) :=
  \matrix_(i, j) A_FD act m S h w b x i j.
Lemma diagonal_factor act m S h w b x M N (f : R -> R) :
  (forall i j, A_FD act m S h w b x i j = A_AD act m w b x i j * f (h * w j)) ->
  FD act m S h w b x M N = AD act m w b x M N *m diag_mx (\row_j f (h * w j)).
Proof. by move=> E; apply/matrixP => i j; rewrite mul_mx_diag !mxE E. Qed.

(** *** Sine and cosine features *)

(** Ostrowski's bounds: any symmetric stencil of the parity of m that is consistent with d^m/dx^m, m >= 1 (its moment
    equations hold to some order p), any weights, biases, points, any step h <> 0, any M and N: if
    dmin <= |m(h w_j)| <= dmax for every j, then dmin sigma_k(A_AD) <= sigma_k(A_FD) <= dmax sigma_k(A_AD). *)
Theorem ostrowski_sine act m p S (h : R) (w b x : nat -> R) M N (dmin dmax : R) : act = sin \/ act = cos -> (0 < m)%N ->
  order_conditions m p S -> Stencils.symmetric m S -> h <> 0 -> 0 <= dmin -> 0 <= dmax ->
  (forall j : 'I_N, dmin <= `|factor m S (h * w j)| <= dmax) ->
  forall k, (0 < k <= M)%N ->
  dmin * sigma k (AD act m w b x M N) <= sigma k (FD act m S h w b x M N) <= dmax * sigma k (AD act m w b x M N).
Proof.
move=> Hs /ssrnat.leP Hm Ho Hsym Hh d0 D0 bound k kM.
rewrite (diagonal_factor act m S h w b x M N (factor m S) (entries_symmetric act m p S h w b x Hs Hm Ho Hsym Hh)).
by apply: Spectral.ostrowski => // j; rewrite mxE.
Qed.

(** The sine ordering: every m >= 1, every even order p, the standard central stencil, any weights, biases, points, any
    step h <> 0, any M and N: sigma_k(A_FD) <= sigma_k(A_AD) for every k. *)
Theorem sine_ordering act m p S (h : R) (w b x : nat -> R) M N : act = sin \/ act = cos -> standard_central m p S -> h <> 0 ->
  forall k, (0 < k <= M)%N -> sigma k (FD act m S h w b x M N) <= sigma k (AD act m w b x M N).
Proof.
move=> Hs HS Hh k kM; rewrite (diagonal_factor act m S h w b x M N (factor m S) (entries_central act m p S h w b x Hs HS Hh)).
rewrite -[X in _ <= X]mul1r.
have bound (j : 'I_N) : 0 <= `|(\row_j factor m S (h * w j) : 'rV[R]_N) 0 j| <= 1.
  by rewrite normr_ge0 mxE; apply/RleP; exact: factor_central HS.
by have /andP[] := Spectral.ostrowski (AD act m w b x M N) kM (lexx 0) ler01 bound.
Qed.

(** Interlacing: the same with Nb boundary rows B below both matrices: sigma_{k+Nb}(A_FD) <= sigma_k(A_AD) for every k
    with k + Nb in range. *)
Theorem interlacing_sine act m p S (h : R) (w b x : nat -> R) M N Nb (B : 'M[R]_(Nb, N)) : act = sin \/ act = cos ->
  standard_central m p S -> h <> 0 -> forall k, (0 < k)%N -> (k + Nb <= M + Nb)%N ->
  sigma (k + Nb) (col_mx (FD act m S h w b x M N) B) <= sigma k (col_mx (AD act m w b x M N) B).
Proof.
move=> Hs HS Hh k k0; rewrite leq_add2r => kM; have kM' : (0 < k <= M)%N by rewrite k0.
apply: le_trans (Spectral.interlacing _ _ k0 kM) _; apply: le_trans (sigma_more_rows _ B kM').
exact: sine_ordering Hs HS Hh _ kM'.
Qed.

(** Nothing is lost by FD: if m(h w_j) <> 0 for every j then A_FD and A_AD have the same range, and the residuals of
    their least-squares solutions are equal, for every right-hand side f. *)
Theorem invariance_sine act m p S (h : R) (w b x : nat -> R) M N : act = sin \/ act = cos -> (0 < m)%N ->
  order_conditions m p S -> Stencils.symmetric m S -> h <> 0 -> (forall j : 'I_N, factor m S (h * w j) <> 0) ->
  (forall y : 'rV[R]_M, (exists a, y = a *m (AD act m w b x M N)^T) <-> exists a, y = a *m (FD act m S h w b x M N)^T)
  /\ forall (f : 'rV[R]_M) a a', least_squares (AD act m w b x M N) f a -> least_squares (FD act m S h w b x M N) f a' ->
    residual (AD act m w b x M N) f a = residual (FD act m S h w b x M N) f a'.
Proof.
move=> Hs /ssrnat.leP Hm Ho Hsym Hh nz.
have d0 (j : 'I_N) : (\row_j factor m S (h * w j) : 'rV[R]_N) 0 j != 0 by rewrite mxE; apply/eqP; exact: nz.
rewrite (diagonal_factor act m S h w b x M N (factor m S) (entries_symmetric act m p S h w b x Hs Hm Ho Hsym Hh)).
split=> [y|f a a' la la']; first exact: (equal_ranges (AD act m w b x M N) d0 y).
exact: (Training.invariance (A := AD act m w b x M N) d0 la la').
Qed.

(** In expectation: for every law of (w, b) of finite support, with the weights p_j >= 0 of its atoms (w_j, b_j), the kernel
    K(x_i, x_l) = E [L phi(x_i) L phi(x_l)] of FD is at most that of AD in the Loewner order. *)
Theorem kernel_order act m p S (h : R) (w b x : nat -> R) M N (q : 'rV[R]_N) : act = sin \/ act = cos ->
  standard_central m p S -> h <> 0 -> (forall j, 0 <= q 0 j) ->
  loewner (FD act m S h w b x M N *m diag_mx q *m (FD act m S h w b x M N)^T)
          (AD act m w b x M N *m diag_mx q *m (AD act m w b x M N)^T).
Proof.
move=> Hs HS Hh q0 v; set A := AD act m w b x M N.
have E (C : 'M[R]_(M, N)) : rayleigh (C *m diag_mx q *m C^T) v = \sum_j q 0 j * ((v *m C) 0 j) ^+ 2.
  rewrite /rayleigh !mulmxA dot_mx trmxK mul_mx_diag; apply: eq_bigr => j _.
  by rewrite mxE mulrAC mulrC expr2.
rewrite !E (diagonal_factor act m S h w b x M N (factor m S) (entries_central act m p S h w b x Hs HS Hh)) -/A.
apply: ler_sum => j _; apply: ler_wpmul2l => //; rewrite mulmxA mul_mx_diag mxE exprMn ler_pimulr ?sqr_ge0 //.
rewrite -(real_normK (num_real _)) expr_le1 // mxE; apply/RleP; exact: factor_central HS.
Qed.

(** *** Exponential features *)

(** The reversal: the central second difference of order 2, any weights, biases, points, any step h <> 0, any M and N:
    A_FD = A_AD diag(sinhc^2(h w_j / 2)) with factors at least 1, and sigma_k(A_FD) >= sigma_k(A_AD) for every k. *)
Theorem exponential_reversal (h : R) (w b x : nat -> R) M N : h <> 0 ->
  [/\ FD exp 2 second_difference h w b x M N = AD exp 2 w b x M N *m diag_mx (\row_j exp_factor (h * w j)),
    forall theta, 1 <= exp_factor theta
  & forall k, (0 < k <= M)%N ->
    sigma k (AD exp 2 w b x M N) <= sigma k (FD exp 2 second_difference h w b x M N)].
Proof.
move=> Hh; have E := diagonal_factor exp 2 _ h w b x M N exp_factor (entries_exp h w b x Hh).
have ge1 theta : 1 <= exp_factor theta by apply/RleP; exact: exp_factor_ge_1.
split; [exact: E|exact: ge1|] => k kM; rewrite E -[X in X <= _]mul1r; pose C := \sum_(j < N) exp_factor (h * w j).
have bound (j : 'I_N) : 1 <= `|(\row_j exp_factor (h * w j) : 'rV[R]_N) 0 j| <= C.
  rewrite mxE ger0_norm ?(le_trans ler01) // ge1 /= /C (bigD1 j) //= ler_addl sumr_ge0 // => i _.
  exact: le_trans ler01 (ge1 _).
have C0 : 0 <= C by rewrite /C sumr_ge0 // => i _; exact: le_trans ler01 (ge1 _).
by have /andP[] := Spectral.ostrowski (AD exp 2 w b x M N) kM ler01 C0 bound.
Qed.

(** It fails for the central second difference of order 4 (one feature with h w = 2, one point; the factor is 0.745:
    [ExponentialFeatures.exp_symbol_order_4]) ... *)
Theorem exponential_order_4_fails :
  exists (h : R) (w b x : nat -> R), sigma 1 (FD exp 2 second_difference_4 h w b x 1 1) < sigma 1 (AD exp 2 w b x 1 1).
Proof.
exists R1, twice, zero, zero; set q := exp_symbol 2 second_difference_4 2.
have [q0 q1] : 0 <= q /\ q < 1 by have [] := factor_order_4; split; [apply/RleP|apply/RltP].
have E : FD exp 2 second_difference_4 R1 twice zero zero 1 1 = AD exp 2 twice zero zero 1 1 *m diag_mx (const_mx q).
  by apply/matrixP => i j; rewrite mul_mx_diag !mxE; have [-> ->] := entries_order_4 i j.
have pos : 0 < sigma 1 (AD exp 2 twice zero zero 1 1).
  apply: sigma_gt0 => // v /matrixP/(_ 0 0); rewrite !mxE big_ord1 !mxE; have [-> _] := entries_order_4 (0 : 'I_1) (0 : 'I_1).
  by move=> /Rmult_integral [v0|e0]; [apply/matrixP => i j; rewrite !mxE !ord1|exfalso; move: e0; lra].
have bound (j : 'I_1) : 0 <= `|(const_mx q : 'rV[R]_1) 0 j| <= q by rewrite mxE normr_ge0 ger0_norm /=.
have /andP[_ le] := @Spectral.ostrowski _ 1 1 1 (AD exp 2 twice zero zero 1 1) (const_mx q) 0 q isT (lexx 0) q0 bound.
by rewrite E; apply: le_lt_trans le _; rewrite gtr_pmull.
Qed.
(** ... and with boundary rows: order 2, two features, one interior point, one boundary row of values of the features. *)
Theorem exponential_boundary_fails :
  exists (h : R) (w b x : nat -> R) (xi : R) (B := \row_(j < 2) exp (w j * xi + b j) : 'rV[R]_2),
  sigma 2 (col_mx (FD exp 2 second_difference h w b x 1 2) B) < sigma 2 (col_mx (AD exp 2 w b x 1 2) B).
Proof.
have [c [xi [f1 [f2 [f10 [f12 [cE [c4 [B1 [B2 [A1 [A2 [F1 F2]]]]]]]]]]]]] := entries_boundary.
exists R1, one_two, zero, zero, xi => B.
have entry (g : nat -> nat -> R) (x y : R) (j : 'I_2) : (row_mx (const_mx x : 'rV_1) (const_mx y : 'rV_1) *m
    col_mx (\matrix_(i < 1, k < 2) g i k) B) 0 j = x * g 0%N j + y * exp (one_two j * xi + 0).
  by rewrite mul_row_col !mxE !big_ord1 !mxE.
have c0 : c <> R0 by lra.
have cases (j : 'I_2) : j = 0%N :> nat \/ j = 1%N :> nat by case: j => -[|[|]] // H; [left|right].
have -> : sigma 2 (col_mx (FD exp 2 second_difference R1 one_two zero zero 1 2) B) = 0.
  apply: (@sigma_eq0 _ _ _ _ (row_mx (const_mx c) (const_mx (- f1)))) => //.
    apply/eqP => /matrixP/(_ 0 (lshift 1 0)); rewrite row_mxEl !mxE; exact: c0.
  have [N1 N2] := null_rows c f1 f2 cE.
  apply/matrixP => i j; rewrite ord1 entry [RHS]mxE; have [->|->] := cases j.
    by rewrite F1 B1.
  by rewrite F2 B2.
apply: sigma_gt0 => // v.
have -> : v = (row_mx (const_mx (v 0 0) : 'rV_1) (const_mx (v 0 1) : 'rV_1) : 'rV[R]_(1 + 1)).
  apply/rowP => k; rewrite mxE; case: splitP => l kl; rewrite mxE; congr (v _ _); apply/val_inj;
  by rewrite /= kl ord1.
move: (v 0 0) (v 0 1) => x y /matrixP z; have z0 := z 0 0; have z1 := z 0 1.
rewrite entry [RHS]mxE A1 B1 in z0; rewrite entry [RHS]mxE A2 B2 in z1.
have [-> ->] := free_rows c _ _ c4 z0 z1.
by apply/matrixP => i j; rewrite mxE; case: splitP => k _; rewrite !mxE.
Qed.
