(** * Singular values by the max-min of Courant and Fischer, over any real closed field

    The k-th singular value of a matrix A with m rows is the largest s such that some k-dimensional space of row
    vectors v satisfies |v A| >= s |v| throughout ([sv A k s]).  What scaling the columns, deleting rows and adding a
    matrix do to singular values then follows without a spectral theorem.
    Courant and Fischer: R. A. Horn, C. R. Johnson, Matrix Analysis (2013), theorem 4.2.6; scaling: A. Ostrowski,
    PNAS 45 (1959) 740; perturbation: H. Weyl, Math. Ann. 71 (1912) 441; deleting rows: ibid., theorem 4.3.28 (Cauchy).
    That each singular value exists over the reals, and equals the square root of an eigenvalue of A A^T, is proved in
    [Spectral.v]; nothing here needs an axiom. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section SingularValues.
Variable R : rcfType.

(** ** The Euclidean norm of row vectors *)
Definition dot n (u v : 'rV[R]_n) : R := \sum_j u 0 j * v 0 j.
Definition norm2 n (v : 'rV[R]_n) : R := Num.sqrt (\sum_j (v 0 j) ^+ 2).

Lemma dotC n (u v : 'rV_n) : dot u v = dot v u.
Proof. by apply: eq_bigr => j _; rewrite mulrC. Qed.
Lemma dotDl n (u v w : 'rV_n) : dot (u + v) w = dot u w + dot v w.
Proof. by rewrite -big_split; apply: eq_bigr => j _; rewrite mxE mulrDl. Qed.
Lemma dotZl n a (u v : 'rV_n) : dot (a *: u) v = a * dot u v.
Proof. by rewrite /dot mulr_sumr; apply: eq_bigr => j _; rewrite mxE mulrA. Qed.
Lemma dotDr n (u v w : 'rV_n) : dot w (u + v) = dot w u + dot w v.
Proof. by rewrite dotC dotDl !(dotC w). Qed.
Lemma dotZr n a (u v : 'rV_n) : dot v (a *: u) = a * dot v u.
Proof. by rewrite dotC dotZl (dotC v). Qed.
Lemma dotNl n (u v : 'rV_n) : dot (- u) v = - dot u v.
Proof. by rewrite -scaleN1r dotZl mulN1r. Qed.
Lemma dotNr n (u v : 'rV_n) : dot v (- u) = - dot v u.
Proof. by rewrite dotC dotNl (dotC v). Qed.
Lemma dot0l n (v : 'rV_n) : dot 0 v = 0.
Proof. by rewrite -(scale0r v) dotZl mul0r. Qed.
Lemma dot0r n (v : 'rV_n) : dot v 0 = 0.
Proof. by rewrite dotC dot0l. Qed.
Lemma dot_mulmx n (u v : 'rV_n) : dot u v = (u *m v^T) 0 0.
Proof. by rewrite mxE; apply: eq_bigr => j _; rewrite mxE. Qed.
(** <u A, v> = <u, v A^T> *)
Lemma dot_mx m n (A : 'M_(m, n)) u v : dot (u *m A) v = dot u (v *m A^T).
Proof. by rewrite !dot_mulmx trmx_mul trmxK mulmxA. Qed.
Lemma dotvv n (v : 'rV_n) : dot v v = \sum_j (v 0 j) ^+ 2.
Proof. by apply: eq_bigr => j _; rewrite expr2. Qed.
Lemma dot_ge0 n (v : 'rV_n) : 0 <= dot v v.
Proof. by rewrite dotvv; apply: sumr_ge0 => j _; exact: sqr_ge0. Qed.
Lemma dot_eq0 n (v : 'rV_n) : (dot v v == 0) = (v == 0).
Proof.
apply/idP/eqP => [|->]; last by rewrite dot0l.
rewrite dotvv psumr_eq0 => [/allP H|j _]; last exact: sqr_ge0.
by apply/rowP => j; rewrite [RHS]mxE; apply/eqP; rewrite -sqrf_eq0; apply: H; rewrite mem_index_enum.
Qed.
Lemma norm2E n (v : 'rV_n) : norm2 v = Num.sqrt (dot v v).
Proof. by rewrite dotvv. Qed.
Lemma norm2_ge0 n (v : 'rV_n) : 0 <= norm2 v.
Proof. exact: sqrtr_ge0. Qed.
Lemma norm2_sqr n (v : 'rV_n) : norm2 v ^+ 2 = dot v v.
Proof. by rewrite norm2E sqr_sqrtr ?dot_ge0. Qed.
Lemma norm2_eq0 n (v : 'rV_n) : (norm2 v == 0) = (v == 0).
Proof. by rewrite -dot_eq0 -norm2_sqr sqrf_eq0. Qed.
Lemma norm2_0 n : norm2 (0 : 'rV_n) = 0.
Proof. by apply/eqP; rewrite norm2_eq0. Qed.
Lemma norm2_gt0 n (v : 'rV_n) : (0 < norm2 v) = (v != 0).
Proof. by rewrite lt_def norm2_eq0 norm2_ge0 andbT. Qed.
Lemma norm2Z n a (v : 'rV_n) : norm2 (a *: v) = `|a| * norm2 v.
Proof. by rewrite !norm2E dotZl dotZr mulrA -expr2 sqrtrM ?sqr_ge0 // sqrtr_sqr. Qed.
Lemma norm2N n (v : 'rV_n) : norm2 (- v) = norm2 v.
Proof. by rewrite -scaleN1r norm2Z normrN1 mul1r. Qed.
(** Comparing norms is comparing squares. *)
Lemma ler_norm2 n p (a b : R) (u : 'rV_n) (v : 'rV_p) : 0 <= a -> 0 <= b ->
  (a * norm2 u <= b * norm2 v) = (a ^+ 2 * dot u u <= b ^+ 2 * dot v v).
Proof.
by move=> a0 b0; rewrite -!norm2_sqr -!exprMn ler_pexpn2r ?nnegrE ?mulr_ge0 ?norm2_ge0.
Qed.
Lemma cauchy_schwarz n (u v : 'rV_n) : dot u v <= norm2 u * norm2 v.
Proof.
have [->|u0] := eqVneq u 0; first by rewrite dot0l norm2_0 mul0r.
have [->|v0] := eqVneq v 0; first by rewrite dot0r norm2_0 mulr0.
have := dot_ge0 (norm2 v *: u - norm2 u *: v).
rewrite dotDl !dotDr !dotNl !dotNr !dotZl !dotZr -!norm2_sqr opprK (dotC v u).
set a := norm2 u; set b := norm2 v; set d := dot u v.
have ab : 0 < a * b by rewrite mulr_gt0 // norm2_gt0.
have -> : b * (b * a ^+ 2) - b * (a * d) + (- (a * (b * d)) + a * (a * b ^+ 2)) = (a * b * (a * b - d)) *+ 2.
  rewrite [b * (b * _)]mulrA -expr2 -exprMn [b * a]mulrC [b * (a * d)]mulrCA [a * (a * _)]mulrA -expr2 -exprMn mulrA.
  by rewrite [- _ + _]addrC -mulr2n mulrBr expr2.
by rewrite pmulrn_lge0 // pmulr_rge0 // subr_ge0.
Qed.
Lemma norm2_triangle n (u v : 'rV_n) : norm2 (u + v) <= norm2 u + norm2 v.
Proof.
rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?addr_ge0 ?norm2_ge0 // norm2_sqr dotDl !dotDr (dotC v u) sqrrD -!norm2_sqr.
rewrite addrA ler_add2r -addrA ler_add2l -mulr2n ler_pmuln2r //; exact: cauchy_schwarz.
Qed.

(** ** Singular values *)

(** Some k-dimensional space of row vectors v has |v A| >= s |v| throughout. *)
Definition sv_ge m n k (A : 'M[R]_(m, n)) (s : R) : Prop :=
  exists2 U : 'M[R]_(k, m), row_free U & forall v : 'rV_m, (v <= U)%MS -> s * norm2 v <= norm2 (v *m A).

(** s is the k-th singular value of A (k = 1, 2, ...): the greatest s >= 0 with [sv_ge k A s], that is
    s = max over k-dimensional spaces U of min over unit vectors v in U of |v A|. *)
Definition sv m n k (A : 'M[R]_(m, n)) (s : R) : Prop :=
  [/\ 0 <= s, sv_ge k A s & forall t, sv_ge k A t -> t <= s].

(** A matrix has at most one k-th singular value. *)
Theorem sv_unique m n k (A : 'M_(m, n)) s t : sv k A s -> sv k A t -> s = t.
Proof. by move=> [_ gs ls] [_ gt lt]; apply/eqP; rewrite eq_le lt //= ls. Qed.

(** They descend. *)
Lemma sv_ge_lower m n k l (A : 'M_(m, n)) s p (U : 'M_(p, m)) : (k <= l)%N -> (l <= \rank U)%N ->
  (forall v : 'rV_m, (v <= U)%MS -> s * norm2 v <= norm2 (v *m A)) -> sv_ge k A s.
Proof.
move=> kl lU H; have kU := leq_trans kl lU.
exists (pid_mx k *m row_base U) => [|v vU].
  by rewrite /row_free mxrankMfree ?row_base_free // rank_pid_mx.
by apply: H; apply: submx_trans vU _; apply: (submx_trans (submxMl _ _)); rewrite eq_row_base.
Qed.
Theorem sv_descending m n k l (A : 'M_(m, n)) s t : (k <= l)%N -> sv k A s -> sv l A t -> t <= s.
Proof.
move=> kl [_ _ ls] [_ [U /eqP rU H] _]; apply: ls.
by apply: (sv_ge_lower kl _ H); rewrite rU.
Qed.
(** They are those of no more than m rows. *)
Lemma sv_ge_rows m n k (A : 'M_(m, n)) s : sv_ge k A s -> (k <= m)%N.
Proof. by case=> U /eqP rU _; rewrite -rU rank_leq_col. Qed.
(** The first is the spectral norm: the least e >= 0 with |v A| <= e |v| for every v. *)
Theorem sv_first m n (A : 'M_(m, n)) e : sv 1 A e -> forall v, norm2 (v *m A) <= e * norm2 v.
Proof.
move=> [e0 _ le] v; have [->|v0] := eqVneq v 0; first by rewrite mul0mx !norm2_0 mulr0.
rewrite -ler_pdivr_mulr ?norm2_gt0 //; apply: le; exists v => [|w /sub_rVP[a ->]].
  by rewrite /row_free eqn_leq rank_leq_row lt0n mxrank_eq0.
by rewrite -scalemxAl !norm2Z mulrCA divfK ?norm2_eq0.
Qed.
Theorem sv_first_least m n (A : 'M_(m, n)) e c : sv 1 A e -> (forall v, norm2 (v *m A) <= c * norm2 v) -> e <= c.
Proof.
move=> [_ [U /row_freeP[V UV] H] _] bound; have U0 : U != 0.
  by apply/eqP => U0; move/eqP: UV; rewrite U0 mul0mx eq_sym oner_eq0.
by rewrite -(@ler_pmul2r _ (norm2 U)) ?norm2_gt0 //; apply: le_trans (bound U); apply: H.
Qed.

(** A and A^T have the same singular values. *)
Lemma sv_ge_tr m n k (A : 'M_(m, n)) s : 0 < s -> sv_ge k A s -> sv_ge k A^T s.
Proof.
move=> s0 [U Uf H]; have inj (v : 'rV_m) : (v <= U)%MS -> v *m A = 0 -> v = 0.
  move=> vU vA; have := H v vU; rewrite vA norm2_0 => le; apply/eqP; rewrite -norm2_eq0 eq_le norm2_ge0 andbT.
  by rewrite -(pmulr_rle0 _ s0).
exists (U *m A) => [|w /submxP[x ->]].
  rewrite -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0; set x := row i _.
  have: x *m U *m A = 0 by rewrite -mulmxA; apply/sub_kermxP/row_sub.
  move/(inj _ (submxMl _ _)) => xU; move/row_freeP: Uf => [V UV].
  by rewrite -[x]mulmx1 -UV mulmxA xU mul0mx.
rewrite mulmxA; set v := x *m U; have vU : (v <= U)%MS by exact: submxMl.
have [->|v0] := eqVneq v 0; first by rewrite !mul0mx !norm2_0 mulr0.
rewrite -(@ler_pmul2r _ (norm2 v)) ?norm2_gt0 //; apply: le_trans (cauchy_schwarz _ _).
rewrite dot_mx trmxK -norm2_sqr expr2 -mulrA mulrCA; apply: ler_wpmul2l; [exact: norm2_ge0|exact: H].
Qed.
Theorem sv_tr m n k (A : 'M_(m, n)) s : (k <= m)%N -> (k <= n)%N -> sv k A s -> sv k A^T s.
Proof.
move=> km kn [s0 gs ls]; split=> [//||t gt].
  have [s_gt0|s_le0] := ltP 0 s; first exact: sv_ge_tr.
  have -> : s = 0 by apply/eqP; rewrite eq_le s_le0.
  exists (pid_mx k) => [|v _]; first by rewrite /row_free rank_pid_mx.
  by rewrite mul0r norm2_ge0.
have [t_gt0|t_le0] := ltP 0 t; last exact: le_trans t_le0 s0.
by apply: ls; rewrite -(trmxK A); exact: sv_ge_tr.
Qed.

(** ** Scaling the columns: A D, D = diag(d) *)
Lemma norm2_diag_le n (x d : 'rV_n) c : 0 <= c -> (forall j, `|d 0 j| <= c) -> norm2 (x *m diag_mx d) <= c * norm2 x.
Proof.
move=> c0 dc; rewrite -[X in X <= _]mul1r ler_norm2 ?ler01 // expr1n mul1r !dotvv mulr_sumr; apply: ler_sum => j _.
rewrite mul_mx_diag mxE exprMn mulrC; apply: ler_wpmul2r; first exact: sqr_ge0.
by rewrite -(real_normK (num_real (d 0 j))); apply: ler_expn2r; rewrite ?nnegrE.
Qed.
Lemma norm2_diag_ge n (x d : 'rV_n) c : 0 <= c -> (forall j, c <= `|d 0 j|) -> c * norm2 x <= norm2 (x *m diag_mx d).
Proof.
move=> c0 dc; rewrite -[X in _ <= X]mul1r ler_norm2 ?ler01 // expr1n mul1r !dotvv mulr_sumr; apply: ler_sum => j _.
rewrite mul_mx_diag mxE exprMn [X in _ <= X]mulrC; apply: ler_wpmul2r; first exact: sqr_ge0.
by rewrite -(real_normK (num_real (d 0 j))); apply: ler_expn2r; rewrite ?nnegrE.
Qed.
(** A lower bound of |x A| by |x B| orders the singular values; the index shows that k >= 1. *)
Theorem sv_monotone m n p k (A : 'M_(m, n)) (B : 'M_(m, p)) c s t : 0 <= c ->
  (forall v, norm2 (v *m B) <= c * norm2 (v *m A)) -> (0 < k)%N -> sv k A s -> sv k B t -> t <= c * s.
Proof.
move=> c0 le k0 [s0 _ ls] [t0 [U Uf H] _]; have [c_gt0|c_le0] := ltP 0 c.
  rewrite mulrC -ler_pdivr_mulr //; apply: ls; exists U => // v vU.
  rewrite mulrAC ler_pdivr_mulr // [X in _ <= X]mulrC; exact: le_trans (H v vU) (le v).
have [i _] : exists i : 'I_k, true by exists (Ordinal k0).
have Ui : row i U != 0.
  rewrite rowE mulmx_free_eq0 //; apply/eqP => /rowP/(_ i); rewrite !mxE !eqxx => /eqP.
  by rewrite oner_eq0.
apply: (@le_trans _ _ 0); last exact: mulr_ge0.
rewrite -(@ler_pmul2r _ (norm2 (row i U))) ?norm2_gt0 // mul0r.
apply: le_trans (H _ (row_sub _ _)) _; apply: le_trans (le _) _; exact: mulr_le0_ge0 (norm2_ge0 _).
Qed.
(** Ostrowski: if c <= |d_j| <= C for every j then c sigma_k(A) <= sigma_k(A D) <= C sigma_k(A), for every k
    and every shape of A; c = 0 and C = 0 are allowed. *)
Theorem sv_scaling m n k (A : 'M_(m, n)) (d : 'rV_n) (c C s t : R) : 0 <= c -> 0 <= C -> (0 < k)%N ->
  (forall j, c <= `|d 0 j| <= C) -> sv k A s -> sv k (A *m diag_mx d) t -> c * s <= t <= C * s.
Proof.
move=> c0 C0 k0 dc svA svD; apply/andP; split.
  move: svA svD => [_ [U Uf H] _] [_ _ lt]; apply: lt; exists U => // v vU; rewrite mulmxA.
  apply: le_trans (norm2_diag_ge _ c0 _) => [|j]; last by case/andP: (dc j).
  by rewrite -mulrA; apply: ler_wpmul2l => //; exact: H.
by apply: sv_monotone svA svD => // v; rewrite mulmxA; apply: norm2_diag_le => // j; case/andP: (dc j).
Qed.

(** ** Rows below: interlacing *)
Lemma col_mx_rows m n p (A : 'M[R]_(m, n)) (B : 'M_(p, n)) (v : 'rV_m) : row_mx v 0 *m col_mx A B = v *m A.
Proof. by rewrite mul_row_col mul0mx addr0. Qed.
Lemma norm2_row_mx0 m p (v : 'rV_m) : norm2 (row_mx v (0 : 'rV_p)) = norm2 v.
Proof.
rewrite /norm2 big_split_ord /= [X in _ + X]big1 => [|i _]; last by rewrite row_mxEr mxE expr0n.
by rewrite addr0; congr Num.sqrt; apply: eq_bigr => i _; rewrite row_mxEl.
Qed.
(** More rows do not make a singular value smaller ... *)
Theorem sv_more_rows m n p k (A : 'M_(m, n)) (B : 'M_(p, n)) s t : sv k A s -> sv k (col_mx A B) t -> s <= t.
Proof.
move=> [_ [U Uf H] _] [_ _ lt]; apply: lt; exists (row_mx U 0) => [|v /submxP[x ->]].
  move/row_freeP: Uf => [V UV]; apply/row_freeP; exists (col_mx V 0).
  by rewrite mul_row_col mulmx0 addr0.
by rewrite mul_mx_row mulmx0 col_mx_rows norm2_row_mx0; apply: H; exact: submxMl.
Qed.
(** ... and p more rows move it by at most p places (Cauchy). *)
Theorem sv_interlacing m n p k (A : 'M_(m, n)) (B : 'M_(p, n)) s t :
  sv k A s -> sv (k + p) (col_mx A B) t -> t <= s.
Proof.
move=> [_ _ ls] [_ [U Uf H] _]; apply: ls.
pose W : 'M[R]_(m, m + p) := row_mx 1%:M 0; set V := (U :&: W)%MS.
have rW : \rank W = m.
  by apply/eqP/row_freeP; exists (col_mx 1%:M 0); rewrite mul_row_col mulmx0 addr0 mulmx1.
have rV : (k <= \rank V)%N.
  have := mxrank_sum_cap U W; rewrite rW (eqP Uf) => sum.
  by rewrite -(leq_add2r (m + p)) {1}(addnC m) addnA -sum addnC leq_add2l rank_leq_col.
have VW : V = row_mx (lsubmx V) 0.
  have /submxP[x ->] : (V <= W)%MS by exact: capmxSr.
  by rewrite mul_mx_row mulmx1 mulmx0 row_mxKl.
apply: (@sv_ge_lower _ _ k k _ _ _ (lsubmx V)) => // [|v /submxP[x ->]].
  apply: leq_trans rV _; rewrite {1}VW.
  have -> : row_mx (lsubmx V) 0 = lsubmx V *m W by rewrite mul_mx_row mulmx1 mulmx0.
  exact: mxrankM_maxl.
rewrite -(norm2_row_mx0 p) -(col_mx_rows _ B); apply: H.
have -> : row_mx (x *m lsubmx V) 0 = x *m V by rewrite {2}VW mul_mx_row mulmx0.
by apply: submx_trans (submxMl _ _) (capmxSl _ _).
Qed.

(** ** Weyl: no singular value moves by more than the spectral norm of the difference. *)
Theorem sv_weyl m n k (A B : 'M_(m, n)) s t e : sv k A s -> sv k B t -> sv 1 (A - B) e -> `|s - t| <= e.
Proof.
move=> svA svB svE; have bound := sv_first svE.
have main (C D : 'M_(m, n)) x y : (forall v, norm2 (v *m C) <= norm2 (v *m D) + e * norm2 v) ->
    sv k C x -> sv k D y -> x - e <= y.
  move=> CD [_ [U Uf H] _] [_ _ ly]; apply: ly; exists U => // v vU.
  by rewrite mulrBl ler_subl_addr; exact: le_trans (H v vU) (CD v).
rewrite ler_norml ler_subr_addl; apply/andP; split.
  apply: main svB svA => v; rewrite -(norm2N (v *m B)).
  have -> : - (v *m B) = - (v *m A) + v *m (A - B) by rewrite mulmxBr addKr.
  by apply: le_trans (norm2_triangle _ _) _; rewrite norm2N ler_add2l.
rewrite ler_subl_addr -ler_subl_addl; apply: main svA svB => v.
have -> : v *m A = v *m B + v *m (A - B) by rewrite mulmxBr addrC subrK.
by apply: le_trans (norm2_triangle _ _) _; rewrite ler_add2l.
Qed.
End SingularValues.
