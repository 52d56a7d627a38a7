(** * Mirsky's theorem for the nuclear norm

    What is proved: for real matrices A, B of one shape the sum over k of |sigma_k(A) - sigma_k(B)| is at most the nuclear norm
    of A - B, the sum of its singular values; with EntropyBounds.v this bounds the distance of the probabilities.

    Source: L. Mirsky, Quart. J. Math. 11 (1960) 50, theorem 5. The proof here: the eigenvalues of [[0, A], [A^T, 0]] are the
    singular values, their negatives and zeros; and for symmetric S, T with T + (S - T)_+ = C, C dominates S and T
    eigenvalue by eigenvalue, so that traces alone bound the sum (R. Bhatia, Matrix Analysis, 1997, section IV.3). *)

From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import reals.
From adfd Require Import SingularValues Spectral.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Mirsky.
Variable R : realType.

(** ** Eigenvalues of symmetric matrices *)

Lemma sum_eigenvalues n (S : 'M[R]_n) : S^T = S -> \sum_(i < n) eigenvalue S i.+1 = \tr S.
Proof.
move=> sym; have [P PP PSP] := spectral_eigenvalue sym.
have -> : \tr S = \tr (P *m S *m P^T) by rewrite mxtrace_mulC mulmxA (mulmx1C PP) mul1mx.
by rewrite PSP mxtrace_diag; apply: eq_bigr => i _; rewrite mxE.
Qed.

(** The eigenvalues of -S are those of S with the other sign, in the other order. *)
Lemma eigenvalue_opp n (S : 'M[R]_n) (i : 'I_n) : S^T = S -> eigenvalue (- S) (rev_ord i).+1 = - eigenvalue S i.+1.
Proof.
move=> sym; have [P [d [PP PSP desc]]] := spectral sym.
pose Q : 'M[R]_n := \matrix_(i, j) P (rev_ord i) j.
have E (X : 'M[R]_n) i' j : (Q *m X *m Q^T) i' j = (P *m X *m P^T) (rev_ord i') (rev_ord j).
  rewrite !mxE; apply: eq_bigr => l _; rewrite !mxE; congr (_ * _).
  by apply: eq_bigr => u _; rewrite mxE.
have QQ : Q *m Q^T = 1%:M.
  by apply/matrixP => i' j; have := E 1%:M i' j; rewrite !mulmx1 PP => ->; rewrite !mxE (inj_eq rev_ord_inj).
have QSQ : Q *m (- S) *m Q^T = diag_mx (\row_j - d 0 (rev_ord j)).
  apply/matrixP => i' j; rewrite E mulmxN mulNmx PSP !mxE (inj_eq rev_ord_inj).
  by case: eqP => [->|_]; rewrite ?mulr1n ?mulr0n ?oppr0.
rewrite (eigenvalueE (courant_fischer QQ QSQ (rev_ord i) _)) => [|j k jk].
  by rewrite mxE rev_ordK (eigenvalueE (courant_fischer PP PSP i desc)).
by rewrite !mxE ler_opp2 desc //= leq_sub2l.
Qed.

(** A symmetric matrix with the diagonal form e >= 0. *)
Lemma rayleigh_form n (P : 'M[R]_n) (e : 'rV[R]_n) v : P *m P^T = 1%:M -> (forall j, 0 <= e 0 j) ->
  0 <= rayleigh (P^T *m diag_mx e *m P) v.
Proof.
move=> PP e0; have PSP : P *m (P^T *m diag_mx e *m P) *m P^T = diag_mx e.
  by rewrite !mulmxA PP mul1mx -mulmxA PP mulmx1.
rewrite -(coordinatesK PP v) (coordinates_rayleigh PSP).
by apply: sumr_ge0 => j _; rewrite mulr_ge0 ?sqr_ge0.
Qed.

(** The sum of |lambda_k(S) - lambda_k(T)| is at most 2 tr (S - T)_+ - tr (S - T), for symmetric S and T. *)
Lemma lidskii n (S T : 'M[R]_n) : S^T = S -> T^T = T ->
  \sum_(i < n) `|eigenvalue S i.+1 - eigenvalue T i.+1|
  <= (\sum_(i < n) Num.max (eigenvalue (S - T) i.+1) 0) *+ 2 - \tr (S - T).
Proof.
move=> symS symT; have symE : (S - T)^T = S - T by rewrite linearB /= symS symT.
have [P PP PEP] := spectral_eigenvalue symE; set d := \row_i _ in PEP.
pose pos : 'rV[R]_n := \row_i Num.max (d 0 i) 0.
pose C := T + P^T *m diag_mx pos *m P.
have symC : C^T = C by rewrite linearD /= symT !trmx_mul tr_diag_mx trmxK mulmxA.
have PtP := mulmx1C PP.
have ET : S - T = P^T *m diag_mx d *m P.
  by rewrite -PEP !mulmxA PtP mul1mx -mulmxA PtP mulmx1.
have CT v : rayleigh T v <= rayleigh C v.
  by rewrite -subr_ge0 -rayleighB addrC addKr rayleigh_form // => j; rewrite mxE le_maxr lexx orbT.
have CS v : rayleigh S v <= rayleigh C v.
  rewrite -subr_ge0 -rayleighB.
  have -> : C - S = P^T *m diag_mx (pos - d) *m P.
    by rewrite [diag_mx _]linearB /= mulmxBr mulmxBl -ET /C opprB addrA [_ *m P + T]addrC.
  apply: rayleigh_form => // j; by rewrite !mxE subr_ge0 le_maxr lexx.
have trP : \tr (P^T *m diag_mx pos *m P) = \sum_(i < n) Num.max (eigenvalue (S - T) i.+1) 0.
  rewrite mxtrace_mulC mulmxA PP mul1mx mxtrace_diag; apply: eq_bigr => i _; by rewrite !mxE.
have -> : (\sum_(i < n) Num.max (eigenvalue (S - T) i.+1) 0) *+ 2 - \tr (S - T)
    = \sum_(i < n) ((eigenvalue C i.+1 - eigenvalue S i.+1) + (eigenvalue C i.+1 - eigenvalue T i.+1)).
  rewrite big_split /= !sumrB !sum_eigenvalues // [\tr C]linearD /= trP [\tr (S - T)]linearB /=.
  set a := \sum_(i < n) _; set s := \tr S; set t := \tr T.
  have -> : t + a - t = a by rewrite addrAC subrr add0r.
  have -> : t + a - s = a - (s - t) by rewrite opprB addrA [a + t]addrC.
  by rewrite mulr2n addrAC.
apply: ler_sum => i _; have iN : (0 < i.+1 <= n)%N by rewrite ltn_ord.
have c1 := eigenvalue_monotone symS symC CS iN; have c2 := eigenvalue_monotone symT symC CT iN.
rewrite -subr_ge0 in c1; rewrite -subr_ge0 in c2.
have -> : eigenvalue S i.+1 - eigenvalue T i.+1
   = (eigenvalue C i.+1 - eigenvalue T i.+1) - (eigenvalue C i.+1 - eigenvalue S i.+1).
  by rewrite opprB [in RHS]addrC addrA subrK.
by rewrite [X in _ <= X]addrC (le_trans (ler_norm_sub _ _)) // !ger0_norm.
Qed.

(** ** The dilation [[0, A], [A^T, 0]] *)

Definition dilation m n (A : 'M[R]_(m, n)) : 'M[R]_(m + n) := block_mx 0 A A^T 0.
Lemma dilation_sym m n (A : 'M[R]_(m, n)) : (dilation A)^T = dilation A.
Proof. by rewrite /dilation tr_block_mx !trmx0 trmxK. Qed.
Lemma dilationB m n (A B : 'M[R]_(m, n)) : dilation (A - B) = dilation A - dilation B.
Proof. by rewrite /dilation opp_block_mx add_block_mx !oppr0 !addr0 linearB. Qed.
Lemma dilationN m n (A : 'M[R]_(m, n)) : dilation (- A) = - dilation A.
Proof. by rewrite /dilation opp_block_mx !oppr0 linearN. Qed.
Lemma dilation_trace m n (A : 'M[R]_(m, n)) : \tr (dilation A) = 0.
Proof. by rewrite /dilation mxtrace_block !mxtrace0 addr0. Qed.

Lemma dot_row_mx m n (a c : 'rV[R]_m) (b d : 'rV[R]_n) : dot (row_mx a b) (row_mx c d) = dot a c + dot b d.
Proof.
rewrite /dot big_split_ord /=; congr (_ + _); apply: eq_bigr => i _; by rewrite ?row_mxEl ?row_mxEr.
Qed.
Lemma rayleigh_dilation m n (A : 'M[R]_(m, n)) a b : rayleigh (dilation A) (row_mx a b) = dot (a *m A) b *+ 2.
Proof.
rewrite /rayleigh /dilation mul_row_block !mulmx0 add0r addr0 dot_row_mx dot_mx trmxK dotC mulr2n; congr (_ + _).
Qed.

(** A space on which the form of the dilation is at least t > 0 gives one of the same dimension on which |v A| >= t |v|. *)
Lemma dilation_sv m n k (A : 'M[R]_(m, n)) t : 0 < t -> ev_ge k (dilation A) t -> sv_ge k A t.
Proof.
move=> t0 [W Wf H].
have HW x : t * (dot (x *m lsubmx W) (x *m lsubmx W) + dot (x *m rsubmx W) (x *m rsubmx W))
    <= dot (x *m lsubmx W *m A) (x *m rsubmx W) *+ 2.
  have xW : x *m W = row_mx (x *m lsubmx W) (x *m rsubmx W) by rewrite -mul_mx_row hsubmxK.
  by have := H (x *m W) (submxMl _ _); rewrite xW rayleigh_dilation dot_row_mx.
exists (lsubmx W).
  apply: inj_row_free => x xU; have := HW x; rewrite xU mul0mx !dot0l mul0rn add0r pmulr_rle0 // => b0.
  have : dot (x *m rsubmx W) (x *m rsubmx W) == 0 by rewrite eq_le b0 dot_ge0.
  rewrite dot_eq0 => /eqP xV.
  have xW : x *m W = 0 by rewrite -[W]hsubmxK mul_mx_row xU xV row_mx0.
  by apply/eqP; rewrite -(mulmx_free_eq0 x Wf) xW.
move=> v /submxP[x ->]; have := HW x; set a := x *m lsubmx W; set b := x *m rsubmx W => Hx.
have [b0|b0] := eqVneq b 0.
  move: Hx; rewrite b0 !dot0r mul0rn addr0 pmulr_rle0 // => a0.
  have : dot a a == 0 by rewrite eq_le a0 dot_ge0.
  by rewrite dot_eq0 => /eqP ->; rewrite mul0mx !norm2_0 mulr0.
have bp : 0 < norm2 b by rewrite norm2_gt0.
rewrite -(ler_pmul2r bp) -(@ler_pmuln2r _ 2) //.
apply: le_trans (le_trans Hx _); last by rewrite ler_pmuln2r // cauchy_schwarz.
rewrite -!norm2_sqr -mulrA -mulrnAr ler_pmul2l // -subr_ge0 addrAC -sqrrB.
exact: sqr_ge0.
Qed.

Lemma dilation_eigenvalue m n k (A : 'M[R]_(m, n)) : (0 < k <= m)%N -> eigenvalue (dilation A) k = sigma k A.
Proof.
move=> km; have [s0 [U Uf H] max] := sigmaP A km; set s := sigma k A in s0 H max *.
apply: eigenvalueE; split; last first.
  move=> t tge; have [t0|t0] := ltP 0 t; first exact: max (dilation_sv t0 tge).
  exact: le_trans t0 s0.
have [B UB] := row_freeP Uf.
have [s_0|sp] := eqVneq s 0.
  exists (row_mx U 0).
    by apply/row_freeP; exists (col_mx B 0); rewrite mul_row_col mulmx0 addr0.
  move=> v /submxP[x ->]; by rewrite s_0 mul0r mul_mx_row mulmx0 rayleigh_dilation dot0r mul0rn.
exists (row_mx (s *: U) (U *m A)).
  by apply/row_freeP; exists (col_mx (s^-1 *: B) 0); rewrite mul_row_col mulmx0 addr0 -scalemxAl -scalemxAr scalerA divff // scale1r.
move=> v /submxP[x ->]; rewrite mul_mx_row rayleigh_dilation dot_row_mx -scalemxAr mulmxA -scalemxAl !dotZl dotZr.
have := H (x *m U) (submxMl _ _); rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?mulr_ge0 ?norm2_ge0 // exprMn !norm2_sqr => Hx.
rewrite -mulrnAr ler_wpmul2l // mulr2n ler_add2r mulrA -expr2; exact: Hx.
Qed.

Lemma dilation_eigenvalue_tail m n k (A : 'M[R]_(m, n)) : (m < k <= m + n)%N -> eigenvalue (dilation A) k <= 0.
Proof.
move=> /andP[mk kN]; rewrite leNgt; apply/negP => t0.
have kN' : (0 < k <= m + n)%N by rewrite kN (leq_ltn_trans _ mk).
have [ge _] := eigenvalueP (dilation_sym A) kN'.
have [U Uf _] := dilation_sv t0 ge.
by move: (rank_leq_col U); rewrite (eqP Uf) leqNgt mk.
Qed.

Lemma sigma_opp m n k (A : 'M[R]_(m, n)) : (0 < k <= m)%N -> sigma k (- A) = sigma k A.
Proof.
move=> km; apply: sigmaE; have [s0 [U Uf H] max] := sigmaP A km; split=> //.
  by exists U => // v vU; rewrite mulmxN norm2N H.
by move=> t [V Vf G]; apply: max; exists V => // v vV; rewrite -[v *m A]opprK -mulmxN norm2N G.
Qed.

(** ** Mirsky's theorem *)

Lemma dilation_eigenvalue_opp m n k (A : 'M[R]_(m, n)) : (k < m)%N ->
  eigenvalue (dilation A) (m + n - k.+1).+1 = - sigma k.+1 A.
Proof.
move=> km; have kN : (k < m + n)%N by rewrite ltn_addr.
have := eigenvalue_opp (Ordinal kN) (dilation_sym (- A)).
by rewrite -dilationN opprK /= [X in _ = - X]dilation_eigenvalue ?sigma_opp.
Qed.

Lemma mirsky_wide m n (A B : 'M[R]_(m, n)) : (m <= n)%N ->
  \sum_(k < m) `|sigma k.+1 A - sigma k.+1 B| <= \sum_(k < m) sigma k.+1 (A - B).
Proof.
move=> mn; have L := lidskii (dilation_sym A) (dilation_sym B).
rewrite -dilationB dilation_trace subr0 in L.
have E : \sum_(i < m + n) Num.max (eigenvalue (dilation (A - B)) i.+1) 0 = \sum_(k < m) sigma k.+1 (A - B).
  rewrite big_split_ord /= [X in _ + X]big1 ?addr0 => [|i _].
    apply: eq_bigr => i _; rewrite dilation_eigenvalue ?ltn_ord //; by apply/max_idPl; apply: sigma_ge0; rewrite ltn_ord.
  by rewrite max_r //; apply: dilation_eigenvalue_tail; rewrite ltnS leq_addr /= -addnS leq_add2l ltn_ord.
rewrite E in L; rewrite -(@ler_pmuln2r _ 2) //; apply: le_trans _ L.
pose F k := `|eigenvalue (dilation A) k.+1 - eigenvalue (dilation B) k.+1|.
have Fk k : (k < m)%N -> F k = `|sigma k.+1 A - sigma k.+1 B| by move=> km; rewrite /F !dilation_eigenvalue.
have Frev k : (k < m)%N -> F (m + n - k.+1)%N = `|sigma k.+1 A - sigma k.+1 B|.
  by move=> km; rewrite /F !dilation_eigenvalue_opp // opprK addrC distrC.
rewrite -(big_mkord xpredT F) (big_cat_nat _ _ _ (leq0n n)) ?leq_addl //= (big_cat_nat _ _ _ (leq0n m) mn) /=.
have -> : \sum_(n <= i < m + n) F i = \sum_(k < m) `|sigma k.+1 A - sigma k.+1 B|.
  rewrite -{1}[n]add0n big_addn addnK big_nat_rev /= big_mkord; apply: eq_bigr => i _.
  by rewrite add0n addnBAC ?ltn_ord // Frev.
have -> : \sum_(0 <= i < m) F i = \sum_(k < m) `|sigma k.+1 A - sigma k.+1 B|.
  by rewrite big_mkord; apply: eq_bigr => i _; rewrite Fk.
rewrite mulr2n ler_add2r ler_addl; apply: sumr_ge0 => i _; exact: normr_ge0.
Qed.

(** spectra.mirsky. For all real matrices A, B of one shape the sum over k = 1, ..., min(m, n) of |sigma_k(A) - sigma_k(B)| is at
    most that of sigma_k(A - B), the nuclear norm. *)
Theorem mirsky m n (A B : 'M[R]_(m, n)) :
  \sum_(k < minn m n) `|sigma k.+1 A - sigma k.+1 B| <= \sum_(k < minn m n) sigma k.+1 (A - B).
Proof.
have [mn|nm] := leqP m n; first exact: mirsky_wide.
have := mirsky_wide A^T B^T (ltnW nm); rewrite -linearB /=.
have T (X : 'M[R]_(m, n)) (k : 'I_n) : sigma k.+1 X^T = sigma k.+1 X.
  by apply: sigma_tr; rewrite ?ltn_ord // (leq_trans (ltn_ord k) (ltnW nm)).
by under eq_bigr do rewrite !T; under [X in _ <= X]eq_bigr do rewrite T.
Qed.
End Mirsky.
