(** * The spectral theorem over the reals; singular values exist

    Every real symmetric matrix has an orthonormal basis of eigenvectors; its k-th eigenvalue is the max-min of Courant
    and Fischer.  Hence every real matrix has its singular values in the sense of [SingularValues.v], and they are the
    square roots of the eigenvalues of A A^T.
    Argument: the supremum l of the Rayleigh quotient is an eigenvalue, as l I - S is semidefinite and, were it
    invertible, would be bounded below; a Householder reflection carries its eigenvector to a unit vector and splits it
    off (R. A. Horn, C. R. Johnson, Matrix Analysis (2013), theorems 2.5.6, 4.2.2 and 4.2.6).  Completeness of the reals
    enters through [sup] only. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.classical Require Import boolp classical_sets.
From mathcomp.analysis Require Import reals.
From adfd Require Import SingularValues.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Spectral.
Variable R : realType.

(** <v S, v> *)
Definition rayleigh n (S : 'M[R]_n) (v : 'rV[R]_n) : R := dot (v *m S) v.

Lemma entry_le_norm2 n (v : 'rV[R]_n) j : `|v 0 j| <= norm2 v.
Proof.
rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?norm2_ge0 // norm2_sqr dotvv real_normK ?num_real //.
by rewrite (bigD1 j) //= ler_addl sumr_ge0 // => i _; exact: sqr_ge0.
Qed.
Lemma rayleigh_bound n (S : 'M[R]_n) : exists2 C : R, 0 < C & forall v, rayleigh S v <= C * dot v v.
Proof.
exists (1 + \sum_j \sum_i `|S i j|) => [|v].
  by rewrite ltr_paddr // sumr_ge0 // => j _; rewrite sumr_ge0.
rewrite mulrDl mul1r; apply: (@le_trans _ _ ((\sum_j \sum_i `|S i j|) * dot v v)); last first.
  by rewrite ler_addr dot_ge0.
rewrite /rayleigh {1}/dot mulr_suml; apply: ler_sum => j _; rewrite mxE mulr_suml mulr_suml.
apply: ler_sum => i _; apply: le_trans (ler_norm _) _; rewrite !normrM -norm2_sqr expr2 mulrAC mulrC.
by rewrite ler_wpmul2l // ler_pmul // entry_le_norm2.
Qed.
Lemma rayleighZ n (S : 'M[R]_n) a v : rayleigh S (a *: v) = a ^+ 2 * rayleigh S v.
Proof. by rewrite /rayleigh -scalemxAl dotZl dotZr mulrA expr2. Qed.
Lemma rayleighB n (S T : 'M[R]_n) v : rayleigh (S - T) v = rayleigh S v - rayleigh T v.
Proof. by rewrite /rayleigh mulmxBr dotDl dotNl. Qed.
Lemma rayleigh_scalar n a (v : 'rV[R]_n) : rayleigh a%:M v = a * dot v v.
Proof. by rewrite /rayleigh mul_mx_scalar dotZl. Qed.
Lemma rayleighD n (S : 'M[R]_n) u v : S^T = S ->
  rayleigh S (u + v) = rayleigh S u + rayleigh S v + dot (u *m S) v *+ 2.
Proof.
move=> sym; have sw : dot (v *m S) u = dot (u *m S) v by rewrite dot_mx sym dotC.
by rewrite /rayleigh mulmxDl dotDl !dotDr sw mulr2n [dot (u *m S) v + dot (v *m S) v]addrC addrACA.
Qed.

(** The greatest eigenvalue is the maximum of the Rayleigh quotient. *)
Lemma greatest_eigenvalue n (S : 'M[R]_n.+1) : S^T = S ->
  exists l : R, exists2 v, dot v v = 1 & v *m S = l *: v /\ forall w, rayleigh S w <= l * dot w w.
Proof.
move=> sym; pose E : set R := fun l => exists2 v : 'rV_n.+1, dot v v = 1 & l = rayleigh S v.
have [C C0 bound] := rayleigh_bound S.
have ubE : ubound E C by move=> _ [v v1 ->]; rewrite -[C]mulr1 -v1.
have [e e1] : exists e : 'rV[R]_n.+1, dot e e = 1.
  exists (delta_mx 0 0); rewrite dotvv (bigD1 0) //= mxE eqxx expr1n big1 ?addr0 // => j /negPf j0.
  by rewrite mxE j0 andbF expr0n.
have E0 : (E !=set0)%classic by exists (rayleigh S e), e.
pose l := sup E; have top w : rayleigh S w <= l * dot w w.
  have [->|w0] := eqVneq w 0; first by rewrite /rayleigh mul0mx !dot0l mulr0.
  have n0 : 0 < norm2 w by rewrite norm2_gt0.
  have : E (rayleigh S ((norm2 w)^-1 *: w)).
    by exists ((norm2 w)^-1 *: w) => //; rewrite dotZl dotZr mulrA -invfM -expr2 norm2_sqr mulVf // dot_eq0.
  move/(sup_ub (ex_intro _ C ubE)); rewrite rayleighZ exprVn norm2_sqr -/l.
  by rewrite mulrC ler_pdivr_mulr // -norm2_sqr exprn_gt0.
suff [v v0 vS] : exists2 v : 'rV[R]_n.+1, v != 0 & v *m (l%:M - S) = 0.
  have n0 : 0 < norm2 v by rewrite norm2_gt0.
  exists l, ((norm2 v)^-1 *: v); last split=> //.
    by rewrite dotZl dotZr mulrA -invfM -expr2 norm2_sqr mulVf // dot_eq0.
  rewrite -scalemxAl scalerA [l * _]mulrC -scalerA; congr (_ *: _); apply/eqP.
  by rewrite eq_sym -subr_eq0 -mul_mx_scalar -mulmxBr vS.
set M := l%:M - S; have [Mu|] := boolP (row_free M); last first.
  rewrite -kermx_eq0 -nz_row_eq0 => v0.
  by exists (nz_row (kermx M)) => //; apply/sub_kermxP; exact: nz_row_sub.
have symM : M^T = M by rewrite /M linearB /= tr_scalar_mx sym.
have {}Mu : M \in unitmx by rewrite -row_free_unit.
have [D D0 boundD] := rayleigh_bound (invmx M).
have low (x : 'rV[R]_n.+1) : D^-1 * dot x x <= rayleigh M x.
  pose y := x *m invmx M; have yM : y *m M = x by rewrite mulmxKV.
  have psd (w : 'rV[R]_n.+1) : 0 <= rayleigh M w by rewrite rayleighB rayleigh_scalar subr_ge0.
  have : 0 <= dot x y + D ^+ 2 * rayleigh M x - D * dot x x *+ 2.
    have := psd (y + - D *: x); rewrite rayleighD // rayleighZ sqrrN dotZr yM mulNr mulNrn.
    by rewrite {1}/rayleigh yM.
  have : dot x y <= D * dot x x by rewrite dotC; exact: boundD.
  set q := dot x x; set p := rayleigh M x => le1; rewrite subr_ge0 => le2.
  have : D * q *+ 2 <= D * q + D ^+ 2 * p by apply: le_trans le2 _; rewrite ler_add2r.
  by rewrite mulr2n ler_add2l expr2 -mulrA ler_pmul2l // ler_pdivr_mull.
have : l <= l - D^-1.
  apply: sup_le_ub => // _ [v v1 ->]; have := low v; rewrite rayleighB rayleigh_scalar v1 !mulr1.
  by rewrite ler_subr_addl -ler_subr_addr.
by rewrite leNgt ltr_subl_addr ltr_addl invr_gt0 D0.
Qed.

(** A reflection (Householder) that carries e_0 to a given unit vector. *)
Lemma householder n (v : 'rV[R]_n.+1) : dot v v = 1 ->
  exists Q : 'M[R]_n.+1, [/\ Q^T = Q, Q *m Q = 1%:M & delta_mx 0 0 *m Q = v].
Proof.
move=> v1; set e : 'rV[R]_n.+1 := delta_mx 0 0; have [u uE] : {u : 'rV[R]_n.+1 | u = v - e} by exists (v - e).
have e1 : dot e e = 1.
  rewrite dotvv (bigD1 0) //= mxE eqxx expr1n big1 ?addr0 // => j /negPf j0.
  by rewrite mxE j0 andbF expr0n.
have [u0|u0] := eqVneq u 0.
  by exists 1%:M; rewrite trmx1 !mulmx1; split=> //; apply/eqP; rewrite eq_sym -subr_eq0 -uE u0.
have uu0 : dot u u != 0 by rewrite dot_eq0.
have uuE : dot u u = - (dot e u *+ 2).
  rewrite uE dotDl !dotDr !dotNl !dotNr v1 e1 opprK (dotC v) mulr2n !opprD opprK.
  by rewrite [- dot e v + 1]addrC addrACA.
have [c cE] : {c : R | c * dot u u = 2%:R} by exists (2%:R / dot u u); rewrite divfK.
have GG : u^T *m u *m (u^T *m u) = dot u u *: (u^T *m u).
  by rewrite mulmxA -(mulmxA u^T) [u *m u^T]mx11_scalar -dot_mulmx mul_mx_scalar scalemxAl.
exists (1%:M - c *: (u^T *m u)); split.
- by rewrite linearB /= linearZ /= trmx_mul trmxK trmx1.
- move: (u^T *m u) GG => G GG; rewrite mulmxBr mulmx1 mulmxBl mul1mx -scalemxAl -scalemxAr GG !scalerA -mulrA cE.
  by rewrite mulr_natr -scalerMnl mulr2n opprB addrK subrK.
- have ceu : c * dot e u = -1.
    apply: (@mulIf _ 2%:R); first by rewrite pnatr_eq0.
    by rewrite mulN1r -[in RHS]cE uuE mulrN opprK mulr_natr mulrnAr.
  rewrite mulmxBr mulmx1 -scalemxAr mulmxA [e *m u^T]mx11_scalar -dot_mulmx mul_scalar_mx scalerA ceu scaleN1r opprK.
  by rewrite uE addrCA subrr addr0.
Qed.

Lemma rayleigh_row m n (P : 'M_(m, n)) (S : 'M[R]_n) d i : P *m S *m P^T = diag_mx d -> rayleigh S (row i P) = d 0 i.
Proof.
move/matrixP/(_ i i); rewrite !mxE eqxx mulr1n => <-; rewrite /rayleigh -row_mul /dot.
by apply: eq_bigr => j _; congr (_ * _); rewrite [LHS]mxE // [RHS]mxE.
Qed.
Lemma dot_row m n (P : 'M[R]_(m, n)) i : P *m P^T = 1%:M -> dot (row i P) (row i P) = 1.
Proof. by move/matrixP/(_ i i); rewrite !mxE eqxx mulr1n => <-; apply: eq_bigr => j _; rewrite !mxE. Qed.

(** The spectral theorem: S = P^T diag(d) P with P orthogonal and d descending. *)
Theorem spectral n (S : 'M[R]_n) : S^T = S -> exists P d,
  [/\ P *m P^T = 1%:M, P *m S *m P^T = diag_mx d & forall i j : 'I_n, (i <= j)%N -> d 0 j <= d 0 i].
Proof.
elim: n S => [|n IH] S sym.
  by exists 1%:M, 0; split=> [||[]] //; apply/matrixP => -[].
have [l [v v1 [vS top]]] := greatest_eigenvalue sym; have [Q [Qt QQ Qv]] := householder v1.
set e : 'rV[R]_n.+1 := delta_mx 0 0 in Qv *.
have [T TE] : {T | T = Q *m S *m Q} by exists (Q *m S *m Q).
have symT : T^T = T by rewrite TE !trmx_mul Qt sym mulmxA.
have eT : e *m T = l *: e.
  by rewrite TE !mulmxA Qv vS -scalemxAl -Qv -mulmxA QQ mulmx1.
have topT w : rayleigh T w <= l * dot w w.
  have -> : rayleigh T w = rayleigh S (w *m Q) by rewrite /rayleigh TE !mulmxA dot_mx Qt.
  by apply: le_trans (top _) _; rewrite dot_mx Qt -mulmxA QQ mulmx1.
have T0 j : T 0 j = l * (j == 0)%:R.
  by have /rowP/(_ j) := eT; rewrite -rowE !mxE eqxx.
pose S' : 'M_n := drsubmx (T : 'M_(1 + n)).
have symS' : S'^T = S' by rewrite /S' trmx_drsub symT.
have [P' [d' [PP' PSP' desc']]] := IH S' symS'.
have l0 (i : 'I_1) : lshift n i = 0 :> 'I_n.+1 by apply/val_inj; rewrite ord1.
have TB : T = block_mx l%:M 0 0 S' :> 'M_(1 + n).
  rewrite -{1}(submxK (T : 'M_(1 + n))); congr block_mx; apply/matrixP => i j.
  - by rewrite !mxE !l0 T0 !ord1 !eqxx mulr1.
  - by rewrite !mxE l0 T0 mulr0.
  - by rewrite -symT !mxE l0 T0 mulr0.
pose B : 'M[R]_(1 + n) := block_mx 1%:M 0 0 P'.
have BB : B *m B^T = 1%:M.
  by rewrite tr_block_mx mulmx_block !trmx0 trmx1 !mulmx0 !mul0mx mulmx1 PP' !addr0 add0r -scalar_mx_block.
have BTB : B *m block_mx l%:M 0 0 S' *m B^T = diag_mx (row_mx l%:M d').
  rewrite tr_block_mx !mulmx_block !trmx0 trmx1 !mulmx0 !mul0mx !mulmx1 mul1mx !addr0 !add0r PSP' mul0mx diag_mx_row.
  by congr block_mx; apply/matrixP => i j; rewrite !mxE !ord1.
exists (B *m Q), (row_mx l%:M d' : 'rV_(1 + n)); split.
- by rewrite trmx_mul Qt mulmxA -(mulmxA B) QQ mulmx1.
- by rewrite trmx_mul Qt !mulmxA -(mulmxA B) -(mulmxA B) -TE TB; exact: BTB.
- have bound j : (row_mx l%:M d' : 'rV_(1 + n)) 0 j <= l.
    have TTB : B *m (T : 'M_(1 + n)) *m B^T = diag_mx (row_mx l%:M d') by rewrite [in LHS]TB.
    by rewrite -(rayleigh_row j TTB) (le_trans (topT _)) // (dot_row j BB) mulr1.
  suff desc (i j : 'I_(1 + n)) : (i <= j)%N -> (row_mx l%:M d' : 'rV_(1 + n)) 0 j <= (row_mx l%:M d' : 'rV_(1 + n)) 0 i.
    by move=> i j; exact: desc.
  case: (split_ordP i) => i' -> ij.
    by rewrite [X in _ <= X]row_mxEl [X in _ <= X]mxE !ord1 eqxx mulr1n; exact: bound.
  move: ij; case: (split_ordP j) => j' -> ij; first by move: ij; rewrite /= leqNgt ltn_addr.
  by rewrite row_mxEr [X in _ <= X]row_mxEr; apply: desc'; move: ij; rewrite /= leq_add2l.
Qed.

(** ** Eigenvalues *)

(** l is the k-th eigenvalue of the symmetric matrix S (k = 1, 2, ...): the maximum over k-dimensional spaces U of the
    minimum over unit vectors v in U of <v S, v>. *)
Definition ev_ge n k (S : 'M[R]_n) (l : R) : Prop :=
  exists2 U : 'M[R]_(k, n), row_free U & forall v : 'rV_n, (v <= U)%MS -> l * dot v v <= rayleigh S v.
Definition ev n k (S : 'M[R]_n) (l : R) : Prop := ev_ge k S l /\ forall t, ev_ge k S t -> t <= l.

Lemma ev_unique n k (S : 'M_n) l t : ev k S l -> ev k S t -> l = t.
Proof. by move=> [gl ml] [gt mt]; apply/eqP; rewrite eq_le mt //= ml. Qed.

Section Coordinates.
Variables (n : nat) (S P : 'M[R]_n) (d : 'rV[R]_n).
Hypotheses (PP : P *m P^T = 1%:M) (PSP : P *m S *m P^T = diag_mx d).
Lemma coordinates_rayleigh x : rayleigh S (x *m P) = \sum_j d 0 j * x 0 j ^+ 2.
Proof.
rewrite /rayleigh -[dot _ _]/(dot _ (x *m P)) dotC dot_mx -!mulmxA [P *m _]mulmxA PSP dotC mul_mx_diag.
by apply: eq_bigr => j _; rewrite mxE mulrAC expr2 mulrC.
Qed.
Lemma coordinates_dot x y : dot (x *m P) (y *m P) = dot x y.
Proof. by rewrite dot_mx -mulmxA PP mulmx1. Qed.
Lemma coordinatesK m (v : 'M_(m, n)) : v *m P^T *m P = v.
Proof. by rewrite -mulmxA (mulmx1C PP) mulmx1. Qed.

(** Courant and Fischer: the entries of a descending diagonal form are the eigenvalues. *)
Theorem courant_fischer (i : 'I_n) : (forall j k : 'I_n, (j <= k)%N -> d 0 k <= d 0 j) -> ev i.+1 S (d 0 i).
Proof.
move=> desc; split=> [|t [U Uf H]].
  exists (pid_mx i.+1 *m P) => [|v /submxP[y ->]].
    by rewrite /row_free mxrankMfree ?rank_pid_mx //; apply/row_freeP; exists P^T.
  rewrite mulmxA coordinates_rayleigh coordinates_dot dotvv mulr_sumr; apply: ler_sum => j _.
  have [ji|ij] := leqP j i; first by rewrite ler_wpmul2r ?sqr_ge0 ?desc.
  rewrite mxE big1 ?expr0n ?mulr0 // => l _; rewrite mxE.
  by case: eqP => [lj|]; rewrite ?mulr0 //= lj ltnS leqNgt ij mulr0.
pose M := U *m P^T *m (pid_mx i : 'M_(n, i)).
have : ~~ row_free M by rewrite /row_free neq_ltn ltnS rank_leq_col.
rewrite -kermx_eq0 -nz_row_eq0; set x := nz_row _ => x0.
have xM : x *m M = 0 by apply/sub_kermxP; exact: nz_row_sub.
set v := x *m U; have [z zE] : {z : 'rV_n | z = v *m P^T} by exists (v *m P^T).
have v0 : v != 0 by rewrite mulmx_free_eq0.
have z0 (j : 'I_n) : (j < i)%N -> z 0 j = 0.
  move=> ji; have /rowP/(_ (Ordinal ji)) : z *m pid_mx i = 0 :> 'rV_i by rewrite zE /v -!mulmxA !(mulmxA U).
  rewrite !mxE (bigD1 j) //= mxE /= eqxx ji mulr1 big1 ?addr0 // => l lj.
  rewrite mxE; case: eqP => [l_j|]; rewrite ?mulr0 //.
  by case/eqP: lj; apply/val_inj.
have vv : 0 < dot v v by rewrite -norm2_sqr exprn_gt0 // norm2_gt0.
rewrite -(ler_pmul2r vv); apply: le_trans (H v (submxMl _ _)) _.
rewrite -(coordinatesK v) -zE coordinates_rayleigh coordinates_dot dotvv mulr_sumr; apply: ler_sum => j _.
have [ij|ji] := leqP i j; first by rewrite ler_wpmul2r ?sqr_ge0 ?desc.
by rewrite z0 // expr0n !mulr0.
Qed.
End Coordinates.

(** The k-th eigenvalue of a symmetric matrix exists. *)
Definition eigenvalue n (S : 'M[R]_n) (k : nat) : R := sup (fun l => ev_ge k S l).
Lemma eigenvalueE n (S : 'M_n) k l : ev k S l -> eigenvalue S k = l.
Proof.
move=> [gl ml]; apply/eqP; rewrite eq_le; apply/andP; split; first by apply: sup_le_ub => //; exists l.
by apply: sup_ub => //; exists l.
Qed.
Theorem eigenvalueP n (S : 'M_n) k : S^T = S -> (0 < k <= n)%N -> ev k S (eigenvalue S k).
Proof.
case: k => // k sym kn; have [P [d [PP PSP desc]]] := spectral sym.
by have evk := courant_fischer PP PSP (Ordinal kn) desc; rewrite (eigenvalueE evk).
Qed.
(** The spectral theorem once more: S = P^T diag(eigenvalues) P. *)
Theorem spectral_eigenvalue n (S : 'M[R]_n) : S^T = S ->
  exists2 P, P *m P^T = 1%:M & P *m S *m P^T = diag_mx (\row_(i < n) eigenvalue S i.+1).
Proof.
move=> sym; have [P [d [PP PSP desc]]] := spectral sym; exists P; rewrite // PSP; congr diag_mx.
by apply/rowP => i; rewrite mxE (eigenvalueE (courant_fischer PP PSP i desc)).
Qed.
(** Weyl's monotonicity: S <= T implies eigenvalue by eigenvalue. *)
Theorem eigenvalue_monotone n (S T : 'M[R]_n) k : S^T = S -> T^T = T -> (forall v, rayleigh S v <= rayleigh T v) ->
  (0 < k <= n)%N -> eigenvalue S k <= eigenvalue T k.
Proof.
move=> symS symT ST kn; have [[U Uf H] _] := eigenvalueP symS kn; have [_ -> //] := eigenvalueP symT kn.
by exists U => // v vU; exact: le_trans (H v vU) (ST v).
Qed.

(** ** Singular values of real matrices *)

(** |v A|^2 = <v A A^T, v> *)
Lemma rayleigh_gram m n (A : 'M[R]_(m, n)) v : rayleigh (A *m A^T) v = dot (v *m A) (v *m A).
Proof. by rewrite /rayleigh mulmxA dot_mx trmxK. Qed.
Lemma gram_sym m n (A : 'M[R]_(m, n)) : (A *m A^T)^T = A *m A^T.
Proof. by rewrite trmx_mul trmxK. Qed.
(** s is the k-th singular value of A if and only if s >= 0 and s^2 is the k-th eigenvalue of A A^T. *)
Lemma sv_ge_ev m n k (A : 'M[R]_(m, n)) s : 0 <= s -> sv_ge k A s <-> ev_ge k (A *m A^T) (s ^+ 2).
Proof.
move=> s0; have E (v : 'rV_m) : (s * norm2 v <= norm2 (v *m A)) = (s ^+ 2 * dot v v <= rayleigh (A *m A^T) v).
  by rewrite rayleigh_gram -[X in _ <= X]mul1r ler_norm2 ?ler01 // expr1n mul1r.
by split=> -[U Uf H]; exists U => // v vU; [rewrite -E|rewrite E]; exact: H.
Qed.
Theorem sv_ev m n k (A : 'M[R]_(m, n)) s : 0 <= s -> sv k A s <-> ev k (A *m A^T) (s ^+ 2).
Proof.
move=> s0; split=> [[_ gs ms]|[gs ms]].
  split=> [|t gt]; first exact/sv_ge_ev.
  have [t0|/ltW t0] := leP 0 t; last exact: le_trans t0 (sqr_ge0 s).
  rewrite -(sqr_sqrtr t0); apply: ler_expn2r; rewrite ?nnegrE ?sqrtr_ge0 //; apply: ms.
  by apply/sv_ge_ev; rewrite ?sqrtr_ge0 // sqr_sqrtr.
split=> [//||t gt]; first exact/sv_ge_ev.
have [t0|/ltW t0] := leP 0 t; last exact: le_trans t0 s0.
by rewrite -(@ler_pexpn2r _ 2) ?nnegrE //; apply: ms; exact/sv_ge_ev.
Qed.

(** The k-th singular value of A (k = 1, ..., number of rows): the greatest s such that some k-dimensional space of
    row vectors v has |v A| >= s |v| throughout. *)
Definition sigma (k : nat) m n (A : 'M[R]_(m, n)) : R := sup (fun s => sv_ge k A s).
Lemma sigmaE k m n (A : 'M_(m, n)) s : sv k A s -> sigma k A = s.
Proof.
move=> [_ gs ms]; apply/eqP; rewrite eq_le; apply/andP; split; first by apply: sup_le_ub => //; exists s.
by apply: sup_ub => //; exists s.
Qed.
Lemma eigenvalue_gram_ge0 k m n (A : 'M[R]_(m, n)) : (0 < k <= m)%N -> 0 <= eigenvalue (A *m A^T) k.
Proof.
move=> /andP[k0 km]; have [_ -> //] := eigenvalueP (gram_sym A) (introT andP (conj k0 km)).
by exists (pid_mx k) => [|v _]; rewrite ?/row_free ?rank_pid_mx // mul0r rayleigh_gram dot_ge0.
Qed.
(** It exists (the supremum is a maximum), for every k between 1 and the number of rows. *)
Theorem sigmaP k m n (A : 'M_(m, n)) : (0 < k <= m)%N -> sv k A (sigma k A).
Proof.
move=> km; have svA : sv k A (Num.sqrt (eigenvalue (A *m A^T) k)).
  by apply/sv_ev; rewrite ?sqrtr_ge0 // sqr_sqrtr ?eigenvalue_gram_ge0 //; exact: eigenvalueP (gram_sym A) km.
by rewrite (sigmaE svA).
Qed.
(** It is the square root of the k-th eigenvalue of A A^T. *)
Theorem sigma_sqr k m n (A : 'M_(m, n)) : (0 < k <= m)%N -> sigma k A ^+ 2 = eigenvalue (A *m A^T) k.
Proof.
move=> km; have svA := sigmaP A km; apply/esym/eigenvalueE/sv_ev => //; by case: svA.
Qed.
Lemma sigma_ge0 k m n (A : 'M_(m, n)) : (0 < k <= m)%N -> 0 <= sigma k A.
Proof. by move/(sigmaP A) => -[]. Qed.

(** The singular value decomposition, without the right singular vectors: the rows u_k of an orthogonal P have
    u_k A orthogonal with lengths sigma_k. *)
Theorem svd_rows m n (A : 'M[R]_(m, n)) :
  exists2 P, P *m P^T = 1%:M & P *m A *m (P *m A)^T = diag_mx (\row_(i < m) sigma i.+1 A ^+ 2).
Proof.
have [P PP PSP] := spectral_eigenvalue (gram_sym A); exists P => //.
rewrite trmx_mul mulmxA -(mulmxA P) PSP; congr diag_mx; apply/rowP => i; rewrite !mxE sigma_sqr //=.
Qed.

(** A diagonal matrix with descending entries >= 0 has these entries as its singular values. *)
Theorem sigma_diag m (d : 'rV[R]_m) (i : 'I_m) : (forall j, 0 <= d 0 j) ->
  (forall j k : 'I_m, (j <= k)%N -> d 0 k <= d 0 j) -> sigma i.+1 (diag_mx d) = d 0 i.
Proof.
move=> d0 desc; apply/sigmaE/sv_ev => //; pose e : 'rV[R]_m := \row_j d 0 j ^+ 2.
have -> : d 0 i ^+ 2 = e 0 i by rewrite mxE.
apply: (@courant_fischer _ _ 1%:M) => [||j k jk].
- by rewrite trmx1 mulmx1.
- rewrite trmx1 mulmx1 mul1mx tr_diag_mx mulmx_diag; congr diag_mx; apply/rowP => j; by rewrite !mxE expr2.
- by rewrite !mxE; apply: ler_expn2r; rewrite ?nnegrE ?desc.
Qed.

(** The last singular value, of the index m, vanishes if and only if the m rows are linearly dependent. *)
Theorem sigma_eq0 m n (A : 'M[R]_(m, n)) (v : 'rV[R]_m) : (0 < m)%N -> v != 0 -> v *m A = 0 -> sigma m A = 0.
Proof.
move=> m0 v0 vA; have [s0 [U Uf H] _] := sigmaP A (introT andP (conj m0 (leqnn m))); apply/eqP; rewrite eq_le s0 andbT.
have n0 : 0 < norm2 v by rewrite norm2_gt0.
by rewrite -(pmulr_lle0 _ n0); have := H v (submx_full _ Uf); rewrite vA norm2_0; exact.
Qed.
Theorem sigma_gt0 m n (A : 'M[R]_(m, n)) : (0 < m)%N -> (forall v : 'rV[R]_m, v *m A = 0 -> v = 0) -> 0 < sigma m A.
Proof.
case: m A => // m A _ free; have [P PP PAP] := svd_rows A.
rewrite lt_def sigma_ge0 ?leqnn // andbT; apply/eqP => s0.
have : dot (row ord_max (P *m A)) (row ord_max (P *m A)) = 0.
  have /matrixP/(_ ord_max ord_max) := PAP; rewrite !mxE eqxx /= s0 expr0n /= mul0rn => <-.
  by apply: eq_bigr => j _; rewrite ![row _ _ _ _]mxE [_^T _ _]mxE.
move/eqP; rewrite dot_eq0 row_mul => /eqP /free; have := dot_row ord_max PP => + v0.
by rewrite v0 dot0l => /eqP; rewrite eq_sym oner_eq0.
Qed.

(** ** What [SingularValues.v] says, for the singular values themselves *)
Theorem sigma_descending k l m n (A : 'M[R]_(m, n)) : (0 < k <= l)%N -> (l <= m)%N -> sigma l A <= sigma k A.
Proof.
move=> /andP[k0 kl] lm; apply: (sv_descending kl); apply: sigmaP; first by rewrite k0 (leq_trans kl).
by rewrite (leq_trans k0 kl).
Qed.
Theorem sigma_tr k m n (A : 'M[R]_(m, n)) : (0 < k)%N -> (k <= m)%N -> (k <= n)%N -> sigma k A^T = sigma k A.
Proof. by move=> k0 km kn; apply/sigmaE/sv_tr => //; apply: sigmaP; rewrite k0. Qed.
(** Ostrowski's bounds for scaled columns. *)
Theorem ostrowski k m n (A : 'M[R]_(m, n)) (d : 'rV_n) (c C : R) : (0 < k <= m)%N -> 0 <= c -> 0 <= C ->
  (forall j, c <= `|d 0 j| <= C) -> c * sigma k A <= sigma k (A *m diag_mx d) <= C * sigma k A.
Proof. by move=> km c0 C0 dc; apply: sv_scaling dc (sigmaP _ _) (sigmaP _ _) => //; case/andP: km. Qed.
(** Rows below. *)
Theorem sigma_more_rows k m n p (A : 'M[R]_(m, n)) (B : 'M_(p, n)) : (0 < k <= m)%N ->
  sigma k A <= sigma k (col_mx A B).
Proof.
move=> km; apply: (@sv_more_rows _ _ _ _ k A B); apply: sigmaP => //.
by case/andP: km => -> km; rewrite (leq_trans km) ?leq_addr.
Qed.
Theorem interlacing k m n p (A : 'M[R]_(m, n)) (B : 'M_(p, n)) : (0 < k)%N -> (k <= m)%N ->
  sigma (k + p) (col_mx A B) <= sigma k A.
Proof.
by move=> k0 km; apply: sv_interlacing (sigmaP _ _) (sigmaP _ _); rewrite ?k0 ?addn_gt0 ?k0 //= leq_add2r.
Qed.
(** |sigma_k(A) - sigma_k(B)| <= |A - B|_2 for every k; the spectral norm is the first singular value. *)
Theorem weyl k m n (A B : 'M[R]_(m, n)) : (0 < k <= m)%N -> `|sigma k A - sigma k B| <= sigma 1 (A - B).
Proof.
move=> km; apply: sv_weyl (sigmaP _ _) (sigmaP _ _) (sigmaP _ _) => //=.
by case/andP: km => k0 km; exact: leq_trans k0 km.
Qed.
(** The spectral norm: the least e >= 0 with |v A| <= e |v| for every v. *)
Theorem sigma_1_norm m n (A : 'M[R]_(m, n)) : (0 < m)%N ->
  (forall v, norm2 (v *m A) <= sigma 1 A * norm2 v) /\
  forall c, (forall v, norm2 (v *m A) <= c * norm2 v) -> sigma 1 A <= c.
Proof.
move=> m0; have svA := sigmaP A (m0 : (0 < 1 <= m)%N); split; first exact: sv_first.
by move=> c; exact: sv_first_least.
Qed.
End Spectral.
