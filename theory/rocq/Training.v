(** * Training the last layer: ridge regression, least squares, gradient descent

    Vectors are rows here: for coefficients a the model is a A^T (that is, A a), the residual a A^T - f, the kernel
    K = A A^T.  [loewner S T] is the Loewner order S <= T.  Ridge regression: by the dual problem, whose value decreases
    with K (classical); gradient descent: by the eigenvectors of K; the averaged loss is ours. *)
From Coq Require Import Field.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import reals.
From adfd Require Import SingularValues Spectral.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Training.
Variable R : realType.

(** The tactic [field] for real numbers of mathcomp, for one identity below. *)
Definition F : Type := R.
Definition fadd (x y : F) : F := (x : R) + (y : R).
Definition fmul (x y : F) : F := (x : R) * (y : R).
Definition fopp (x : F) : F := - (x : R).
Definition finv (x : F) : F := (x : R)^-1.
Definition f0 : F := 0 : R.
Definition f1 : F := 1 : R.
Definition fsub x y := fadd x (fopp y).
Definition fdiv x y := fmul x (finv y).
Lemma field_laws : field_theory f0 f1 fadd fmul fsub fopp fdiv finv (@eq F).
Proof.
split=> //; last by move=> p p0; apply: (@mulVf R); apply/eqP.
  by split=> //; [exact: (@add0r R)|exact: (@addrC R)|exact: (@addrA R)|exact: (@mul1r R)|exact: (@mulrC R)|exact: (@mulrA R)|exact: (@mulrDl R)|exact: (@subrr R)].
by apply/eqP; exact: oner_neq0.
Qed.
Add Field real_field : field_laws.
Declare Scope fld. Delimit Scope fld with F.
Notation "x + y" := (fadd x y) : fld. Notation "x * y" := (fmul x y) : fld. Notation "- x" := (fopp x) : fld.
Notation "x - y" := (fsub x y) : fld. Notation "x / y" := (fdiv x y) : fld. Notation "1" := f1 : fld. Notation "2" := (fadd f1 f1) : fld.
Lemma two_neq0 : (2)%F <> f0.
Proof. by apply/eqP; rewrite -[fadd _ _]/(1 + 1 : R) -mulr2n pnatr_eq0. Qed.
Lemma complete_squares (p q r s x y l : F) : l <> f0 -> ((p / 2 + l / 2 * q) - (x - s / 2 - r / (2 * l)) =
  (p + s + 2 * (y - x)) / 2 + l / 2 * (q + finv l * finv l * r + 2 * (- finv l * y)))%F.
Proof. move=> l0; field; split=> //; exact: two_neq0. Qed.

(** S <= T: <v S, v> <= <v T, v> for every v. *)
Definition loewner n (S T : 'M[R]_n) : Prop := forall v, rayleigh S v <= rayleigh T v.
Definition residual m n (A : 'M[R]_(m, n)) (f : 'rV[R]_m) (a : 'rV[R]_n) : 'rV[R]_m := a *m A^T - f.
Definition square n (v : 'rV[R]_n) : R := norm2 v ^+ 2.

(** ** Ridge regression *)
Definition ridge m n (A : 'M[R]_(m, n)) f (lambda : R) a : R :=
  square (residual A f a) / 2%:R + lambda / 2%:R * square a.
(** The dual objective. *)
Definition dual m (K : 'M[R]_m) f (lambda : R) (v : 'rV[R]_m) : R :=
  dot f v - square v / 2%:R - rayleigh K v / (2%:R * lambda).

Lemma squareD n (u v : 'rV[R]_n) : square (u + v) = square u + square v + 2%:R * dot u v.
Proof.
rewrite /square !norm2_sqr dotDl !dotDr (dotC v u) [dot u v + dot v v]addrC addrACA.
by rewrite mulrDl mul1r.
Qed.
Lemma square_ge0 n (v : 'rV[R]_n) : 0 <= square v.
Proof. exact: sqr_ge0. Qed.
Lemma squareZ n c (v : 'rV[R]_n) : square (c *: v) = c ^+ 2 * square v.
Proof. by rewrite /square !norm2_sqr dotZl dotZr mulrA expr2. Qed.

Lemma duality m n (A : 'M[R]_(m, n)) f lambda a v : 0 < lambda ->
  ridge A f lambda a - dual (A *m A^T) f lambda v =
  square (residual A f a + v) / 2%:R + lambda / 2%:R * square (a - lambda^-1 *: (v *m A)).
Proof.
move=> l0; have l1 : lambda != 0 by exact: lt0r_neq0.
rewrite (squareD (residual A f a) v) (squareD a) -scaleNr squareZ sqrrN dotZr.
have -> : dot a (v *m A) = dot (a *m A^T) v by rewrite dot_mx trmxK.
have -> : dot (residual A f a) v = dot (a *m A^T) v - dot f v by rewrite /residual dotDl dotNl.
have -> : dual (A *m A^T) f lambda v = dot f v - square v / 2%:R - square (v *m A) / (2%:R * lambda).
  by rewrite /dual rayleigh_gram -norm2_sqr.
by apply: (@complete_squares (square (residual A f a)) (square a) (square (v *m A)) (square v)); apply/eqP.
Qed.

(** The least value of the ridge objective is attained, and it is ordered: if 0 <= K' <= K, K = A A^T and K' = A' A'^T,
    then for every lambda > 0 and f the least value of |A a - f|^2/2 + lambda |a|^2/2 is at most that for A'. *)
Theorem ridge_objective m n n' (A : 'M[R]_(m, n)) (A' : 'M[R]_(m, n')) f lambda : 0 < lambda ->
  loewner (A' *m A'^T) (A *m A^T) ->
  exists a, (forall b, ridge A f lambda a <= ridge A f lambda b) /\ (forall a', ridge A f lambda a <= ridge A' f lambda a').
Proof.
move=> l0 KK; have l1 : lambda != 0 by exact: lt0r_neq0.
pose M := A *m A^T + lambda%:M.
have Mu : M \in unitmx.
  rewrite -row_free_unit; apply: inj_row_free => v vM; apply/eqP; rewrite -dot_eq0 eq_le dot_ge0 andbT.
  have : rayleigh M v = 0 by rewrite /rayleigh vM dot0l.
  rewrite /rayleigh mulmxDr dotDl -/(rayleigh _ v) rayleigh_gram mul_mx_scalar dotZl => E.
  by rewrite -(pmulr_rle0 _ l0) -E ler_addr dot_ge0.
pose v := lambda *: f *m invmx M; pose a := lambda^-1 *: (v *m A).
have vM : v *m (A *m A^T) + lambda *: v = lambda *: f by rewrite -mul_mx_scalar -mulmxDr mulmxKV.
have av : residual A f a + v = 0.
  rewrite /residual /a -scalemxAl -mulmxA; apply: (scalerI l1).
  by rewrite scalerDr scalerBr scalerA mulfV // scale1r scaler0 addrAC vM subrr.
have value : ridge A f lambda a = dual (A *m A^T) f lambda v.
  apply/eqP; rewrite -subr_eq0 duality // av subrr /square !norm2_0.
  by rewrite expr0n /= mul0r mulr0 addr0.
have weak p (B : 'M[R]_(m, p)) b : dual (B *m B^T) f lambda v <= ridge B f lambda b.
  rewrite -subr_ge0 duality //; apply: addr_ge0; last by rewrite mulr_ge0 ?square_ge0 // divr_ge0 ?ler0n // ltW.
  by rewrite divr_ge0 ?square_ge0 ?ler0n.
exists a; rewrite value; split=> [b|a']; first exact: weak.
apply: le_trans (weak _ A' a'); rewrite /dual ler_add2l ler_opp2 ler_wpmul2r //.
by rewrite invr_ge0 mulr_ge0 ?ler0n // ltW.
Qed.

(** ** Least squares: scaling the columns changes no residual *)
Definition least_squares m n (A : 'M[R]_(m, n)) f a : Prop :=
  forall b, norm2 (residual A f a) <= norm2 (residual A f b).

(** The ranges of A and A D are equal. *)
Theorem equal_ranges m n (A : 'M[R]_(m, n)) (d : 'rV[R]_n) : (forall j, d 0 j != 0) ->
  forall y : 'rV[R]_m, (exists a, y = a *m A^T) <-> exists a, y = a *m (A *m diag_mx d)^T.
Proof.
move=> d0 y; rewrite trmx_mul tr_diag_mx; split=> -[a ->]; last by exists (a *m diag_mx d); rewrite mulmxA.
exists (a *m diag_mx (\row_j (d 0 j)^-1)); rewrite mulmxA -(mulmxA a) mulmx_diag.
have -> : diag_mx (\row_j ((\row_j0 (d 0 j0)^-1) 0 j * d 0 j)) = 1%:M; last by rewrite mulmx1.
by rewrite -diag_const_mx; congr diag_mx; apply/rowP => j; rewrite !mxE mulVf.
Qed.
(** Least-squares solutions exist (the normal equations can be solved), and their residual is unique. *)
Lemma normal_equations m n (A : 'M[R]_(m, n)) f : exists a, residual A f a *m A = 0.
Proof.
have ker (v : 'rV[R]_n) : v *m (A^T *m A) = 0 -> v *m A^T = 0.
  move=> vAA; apply/eqP; rewrite -dot_eq0 dot_mx trmxK dotC -mulmxA vAA dot0l //.
have rk : (A <= A^T *m A)%MS.
  rewrite -(mxrank_leqif_sup (submxMl A^T A)).2.
  have le : (kermx (A^T *m A) <= kermx A^T)%MS.
    by apply/row_subP => i; apply/sub_kermxP/ker/sub_kermxP/row_sub.
  have := mxrankS le; rewrite !mxrank_ker mxrank_tr => le2.
  rewrite eqn_leq mxrankM_maxr /=; have := leq_sub2l n le2; rewrite !subKn //; exact: rank_leq_col.
have /submxP[a aE] : (f *m A <= A^T *m A)%MS by exact: submx_trans (submxMl _ _) rk.
by exists a; rewrite mulmxBl -mulmxA -aE subrr.
Qed.
Lemma pythagoras m n (A : 'M[R]_(m, n)) f a b : residual A f a *m A = 0 ->
  square (residual A f b) = square (residual A f a) + square ((b - a) *m A^T).
Proof.
move=> rA; have -> : residual A f b = residual A f a + (b - a) *m A^T.
  by rewrite /residual mulmxBl [RHS]addrC subrKA.
by rewrite squareD [dot _ _]dotC dot_mx trmxK rA dot0r mulr0 addr0.
Qed.
Theorem least_squares_exist m n (A : 'M[R]_(m, n)) f : exists a, least_squares A f a.
Proof.
have [a rA] := normal_equations A f; exists a => b.
rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?norm2_ge0 // -!/(square _).
by rewrite (pythagoras b rA) ler_addl square_ge0.
Qed.
Theorem least_squares_residual m n (A : 'M[R]_(m, n)) f a b : least_squares A f a -> least_squares A f b ->
  residual A f a = residual A f b.
Proof.
have [c rA] := normal_equations A f.
suff main x : least_squares A f x -> residual A f x = residual A f c by move=> /main -> /main ->.
move=> lx; have := lx c; rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?norm2_ge0 // -!/(square _) (pythagoras x rA).
rewrite ger_addl /square norm2_sqr => le.
have /eqP : dot ((x - c) *m A^T) ((x - c) *m A^T) == 0 by rewrite eq_le le dot_ge0.
by move/eqP; rewrite dot_eq0 mulmxBl subr_eq0 /residual => /eqP ->.
Qed.
(** If no factor d_j vanishes, the least-squares residuals of A and A D are equal, for every f. *)
Theorem invariance m n (A : 'M[R]_(m, n)) (d : 'rV[R]_n) f a a' : (forall j, d 0 j != 0) ->
  least_squares A f a -> least_squares (A *m diag_mx d) f a' ->
  residual A f a = residual (A *m diag_mx d) f a'.
Proof.
move=> d0 la la'; have [c cE] : exists c, a' *m (A *m diag_mx d)^T = c *m A^T.
  by apply/(equal_ranges A d0); exists a'.
have rc : residual (A *m diag_mx d) f a' = residual A f c by rewrite /residual cE.
rewrite rc; apply: (least_squares_residual la) => b; rewrite -rc.
have [b' bE] : exists b', b *m A^T = b' *m (A *m diag_mx d)^T.
  by apply/(equal_ranges A d0); exists b.
by have := la' b'; rewrite {2}/residual -bE.
Qed.

(** ** Gradient descent *)

(** Iterates of gradient descent with step eta on |A a - f|^2/2 (its gradient at a is A^T (A a - f)). *)
Fixpoint iterate m n (A : 'M[R]_(m, n)) f (eta : R) a (t : nat) : 'rV[R]_n :=
  if t is t'.+1 then iterate A f eta a t' - eta *: (residual A f (iterate A f eta a t') *m A) else a.
(** The law: r(t) = (I - eta A A^T)^t r(0). *)
Theorem gradient_descent m n (A : 'M[R]_(m, n)) f eta a t :
  residual A f (iterate A f eta a t) = iter t (fun r => r *m (1%:M - eta *: (A *m A^T))) (residual A f a).
Proof.
elim: t => //= t <-; set r := residual _ _ (iterate _ _ _ _ _).
rewrite /residual mulmxBl -addrAC -/(residual _ _ _) -/r mulmxBr mulmx1 -scalemxAr -scalemxAl mulmxA.
by [].
Qed.
(** In the orthonormal basis of the left singular vectors u_k (the rows of P, k = 1, ..., number of rows of A; sigma_k = 0
    beyond the number of columns) each coefficient decays by itself: <r(t), u_k> = (1 - eta sigma_k^2)^t <r(0), u_k>. *)
Theorem gradient_descent_modes m n (A : 'M[R]_(m, n)) :
  exists2 P, P *m P^T = 1%:M & P *m A *m (P *m A)^T = diag_mx (\row_(i < m) sigma i.+1 A ^+ 2) /\
  forall f eta a t (k : 'I_m), dot (residual A f (iterate A f eta a t)) (row k P) =
    (1 - eta * sigma k.+1 A ^+ 2) ^+ t * dot (residual A f a) (row k P).
Proof.
have [P PP PAP] := svd_rows A; exists P; rewrite // PAP; split=> // f eta a t k.
have uK : row k P *m (A *m A^T) = sigma k.+1 A ^+ 2 *: row k P.
  have : P *m (A *m A^T) = diag_mx (\row_(i < m) sigma i.+1 A ^+ 2) *m P.
    by rewrite -PAP trmx_mul !mulmxA -(mulmxA _ P^T) (mulmx1C PP) mulmx1.
  by move/(congr1 (row k)); rewrite !row_mul row_diag_mx -scalemxAl -rowE mxE.
rewrite gradient_descent; elim: t => [|t IH]; first by rewrite expr0 mul1r.
rewrite iterS exprS -mulrA -IH; set r := iter _ _ _.
rewrite dot_mx linearB /= trmx1 linearZ /= trmx_mul trmxK mulmxBr mulmx1 -scalemxAr uK scalerA.
by rewrite dotDr dotNr dotZr mulrBl mul1r.
Qed.

(** ** The loss averaged over the data *)

(** E is an expectation of the random data f_1, ..., f_m: linear on sums of the products f_i f_j (as the integral over any
    law with finite second moments is), with mean 0 and covariance I. *)
Definition standard_data (Omega : Type) (E : (Omega -> R) -> R) m (f : Omega -> 'rV[R]_m) : Prop :=
  [/\ forall c : 'I_m -> 'I_m -> R, E (fun o => \sum_i \sum_j c i j * (f o 0 i * f o 0 j)) =
         \sum_i \sum_j c i j * E (fun o => f o 0 i * f o 0 j),
      forall i, E (fun o => f o 0 i) = 0
    & forall i j, E (fun o => f o 0 i * f o 0 j) - E (fun o => f o 0 i) * E (fun o => f o 0 j) = (i == j)%:R].
(** The loss after t iterations from a = 0. *)
Definition loss m n (A : 'M[R]_(m, n)) (eta : R) (t : nat) (f : 'rV[R]_m) : R :=
  square (residual A f (iterate A f eta 0 t)) / 2%:R.

(** Its mean is half the trace of (I - eta K)^{2t}. *)
Lemma mean_loss Omega E m n (A : 'M[R]_(m, n)) (f : Omega -> 'rV[R]_m) eta t : standard_data E f ->
  E (fun o => loss A eta t (f o)) = \sum_(k < m) ((1 - eta * sigma k.+1 A ^+ 2) ^+ t) ^+ 2 / 2%:R.
Proof.
move=> [linear mean cov]; have [P PP [PAP law]] := gradient_descent_modes A.
pose g (k : 'I_m) := (1 - eta * sigma k.+1 A ^+ 2) ^+ t.
pose c (i j : 'I_m) := \sum_k g k ^+ 2 / 2%:R * (P k i * P k j).
have -> : (fun o => loss A eta t (f o)) = fun o => \sum_i \sum_j c i j * (f o 0 i * f o 0 j).
  apply: boolp.funext => o; rewrite /loss; set r := residual _ _ _.
  have -> : square r = \sum_k dot r (row k P) ^+ 2.
    rewrite /square norm2_sqr -(coordinatesK PP r) (coordinates_dot PP) dotvv coordinatesK //.
    apply: eq_bigr => k _; congr (_ ^+ 2); rewrite mxE; apply: eq_bigr => j _; by rewrite !mxE.
  rewrite mulr_suml; under [RHS]eq_bigr => i _ do under eq_bigr => j _ do rewrite mulr_suml.
  under [RHS]eq_bigr => i _ do rewrite exchange_big; rewrite exchange_big /=; apply: eq_bigr => k _.
  have -> : dot r (row k P) = - (g k * \sum_i f o 0 i * P k i).
    rewrite law /residual mul0mx sub0r dotNl mulrN; congr (- (_ * _)).
    by apply: eq_bigr => i _; rewrite mxE.
  rewrite sqrrN exprMn mulrAC [(\sum_i _) ^+ 2]expr2 big_distrlr /= mulr_sumr; apply: eq_bigr => i _.
  by rewrite mulr_sumr; apply: eq_bigr => j _; rewrite -[RHS]mulrA; congr (_ * _); rewrite mulrACA mulrC.
have second i j : E (fun o => f o 0 i * f o 0 j) = (i == j)%:R by rewrite -cov !mean mul0r subr0.
rewrite linear; under eq_bigr => i _ do under eq_bigr => j _ do rewrite second.
transitivity (\sum_i c i i).
  apply: eq_bigr => i _; rewrite (bigD1 i) //= eqxx mulr1 big1 ?addr0 // => j /negPf ji.
  by rewrite eq_sym ji mulr0.
rewrite exchange_big; apply: eq_bigr => k _; rewrite -mulr_sumr -[RHS]mulr1; congr (_ * _).
by rewrite -(dot_row k PP); apply: eq_bigr => i _; rewrite !mxE.
Qed.
(** If 0 <= K' <= K and eta lambda_max(K) <= 1 then after every number t of iterations the mean loss is at most as large
    for K = A A^T as for K' = A' A'^T. *)
Theorem average_loss Omega E m n n' (A : 'M[R]_(m, n)) (A' : 'M[R]_(m, n')) (f : Omega -> 'rV[R]_m) eta t :
  standard_data E f -> loewner (A' *m A'^T) (A *m A^T) -> 0 <= eta -> eta * eigenvalue (A *m A^T) 1 <= 1 ->
  E (fun o => loss A eta t (f o)) <= E (fun o => loss A' eta t (f o)).
Proof.
move=> sf KK eta0 step; rewrite !(mean_loss _ _ _ sf); apply: ler_sum => k _.
have km : (0 < k.+1 <= m)%N by exact: ltn_ord.
have m0 : (0 < 1 <= m)%N by exact: leq_trans (ltn_ord k).
rewrite !sigma_sqr // ler_wpmul2r ?invr_ge0 ?ler0n //.
have le1 : eta * eigenvalue (A' *m A'^T) k.+1 <= eta * eigenvalue (A *m A^T) k.+1.
  by apply: ler_wpmul2l => //; apply: eigenvalue_monotone => //; exact: gram_sym.
have le2 : eta * eigenvalue (A *m A^T) k.+1 <= 1.
  apply: le_trans step; apply: ler_wpmul2l => //; rewrite -!sigma_sqr //.
  by rewrite ler_pexpn2r ?nnegrE ?sigma_ge0 // sigma_descending.
have pos : 0 <= 1 - eta * eigenvalue (A *m A^T) k.+1 by rewrite subr_ge0.
have le3 : 1 - eta * eigenvalue (A *m A^T) k.+1 <= 1 - eta * eigenvalue (A' *m A'^T) k.+1.
  by rewrite ler_add2l ler_opp2.
have pos' := le_trans pos le3.
by apply: ler_expn2r; rewrite ?nnegrE ?exprn_ge0 //; apply: ler_expn2r; rewrite ?nnegrE.
Qed.
(** Such data exist: f = +- sqrt(m) e_l, each of these 2 m vectors with the probability p = 1/(2m). *)
Lemma standard_data_exist m (p := (m.+1%:R *+ 2)^-1 : R)
    (E := fun X : bool * 'I_m.+1 -> R => \sum_l p * (X (true, l) + X (false, l)))
    (f := fun o : bool * 'I_m.+1 => ((-1) ^+ o.1 * Num.sqrt m.+1%:R) *: delta_mx 0 o.2 : 'rV[R]_m.+1) :
  standard_data E f.
Proof.
have mean i : E (fun o => f o 0 i) = 0.
  by rewrite /E big1 // => l _; rewrite /f !mxE /= expr1 expr0 mul1r mulN1r !mulNr addNr mulr0.
split=> [c||i j]; [|exact: mean|].
  rewrite /E; under [RHS]eq_bigr => i _ do under eq_bigr => j _ do rewrite mulr_sumr.
  under [RHS]eq_bigr => i _ do rewrite exchange_big; rewrite exchange_big; apply: eq_bigr => l _ /=.
  rewrite -big_split /= mulr_sumr; apply: eq_bigr => i _.
  rewrite -big_split /= mulr_sumr; apply: eq_bigr => j _; rewrite -mulrDr mulrCA //.
rewrite !mean mul0r subr0 /E (bigD1 i) //= big1 ?addr0 => [|l /negPf li].
  rewrite /f !mxE /= eqxx expr1 expr0 mul1r mulN1r !mulr1 !mulNr mulrN opprK.
  have [ji|ji] := eqVneq j i; last by rewrite !mulr0 addr0 mulr0.
  rewrite !mulr1 -expr2 sqr_sqrtr ?ler0n // -mulr2n mulVf //.
  by rewrite mulrn_eq0 /= pnatr_eq0.
by rewrite /f !mxE /= [i == l]eq_sym li !mulr0 !mul0r addr0 mulr0.
Qed.
End Training.
