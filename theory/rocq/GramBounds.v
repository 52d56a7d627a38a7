(** Bounds of singular values from approximate singular vectors, without a spectral theorem: the theorem that the checker of
    certificates rests on.

    [A] is N x M, [Y] is N x N with approximate left singular vectors as its rows. If the quadratic form of
    [Y Y^T] lies between [lo] and [hi] times the identity and that of [Y A (Y A)^T] between two diagonal forms, then the
    singular values of [A], defined by the max-min of Courant and Fischer, lie between the diagonals (Ostrowski's argument).
    The forms are bounded by Gershgorin's row sums with weights. *)
From mathcomp Require Import all_ssreflect all_algebra.
From adfd Require Import SingularValues.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section GramBounds.
Variable R : rcfType.

(** The square of the Euclidean norm. *)
Definition nsq n (v : 'rV[R]_n) : R := \sum_j (v 0 j) ^+ 2.

(** The comparison of norms in the definition of the k-th singular value, in squares. *)
Lemma sv_ge_squares m n k (A : 'M[R]_(m, n)) s : 0 <= s -> sv_ge k A s <->
  exists2 U : 'M[R]_(k, m), row_free U & forall v : 'rV_m, (v <= U)%MS -> s ^+ 2 * nsq v <= nsq (v *m A).
Proof.
move=> s0; have E m' n' (u : 'rV_m') (v : 'rV_n') : (s * norm2 u <= norm2 v) = (s ^+ 2 * nsq u <= nsq v).
  by rewrite /nsq -!dotvv -[norm2 v]mul1r (ler_norm2 _ _ s0 ler01) expr1n mul1r.
by split=> [] [U Uf H]; exists U => // v vU; [rewrite -E | rewrite E]; exact: H.
Qed.

Lemma nsq_ge0 n (v : 'rV[R]_n) : 0 <= nsq v.
Proof. by apply: sumr_ge0 => j _; exact: sqr_ge0. Qed.

Lemma nsq_eq0 n (v : 'rV[R]_n) : nsq v <= 0 -> v = 0.
Proof.
move=> le; have /eqP : nsq v = 0 by apply/eqP; rewrite eq_le le nsq_ge0.
rewrite psumr_eq0; last by move=> j _; exact: sqr_ge0.
move=> /allP all0; apply/rowP => j; rewrite mxE; apply/eqP; rewrite -sqrf_eq0.
by apply: all0; rewrite mem_index_enum.
Qed.

(** * Singular values between two diagonals *)

Variables (N M : nat) (A : 'M[R]_(N, M)) (Y : 'M[R]_N) (lo hi : R).
Hypothesis lo_gt0 : 0 < lo.
Hypothesis above_lo : forall c, lo * nsq c <= nsq (c *m Y).
Hypothesis below_hi : forall c, nsq (c *m Y) <= hi * nsq c.

Lemma Y_free : row_free Y.
Proof.
rewrite -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0; apply: nsq_eq0.
have := above_lo (row i (kermx Y)); rewrite -row_mul mulmx_ker row0.
have -> : nsq (0 : 'rV[R]_N) = 0 by rewrite /nsq big1 // => j _; rewrite mxE expr0n.
by rewrite pmulr_rle0.
Qed.

Lemma at_least (k : nat) (l : 'I_N -> R) (s : R) : (k <= N)%N -> 0 <= s ->
  (forall c : 'rV_N, \sum_j l j * c 0 j ^+ 2 <= nsq (c *m Y *m A)) ->
  (forall j : 'I_N, (j < k)%N -> s ^+ 2 * hi <= l j) -> sv_ge k A s.
Proof.
move=> kN s0 below sl; apply/(sv_ge_squares _ _ s0); pose P : 'M[R]_(k, N) := pid_mx k.
have PP : P *m P^T = 1%:M by rewrite tr_pid_mx mul_pid_mx minnn (minn_idPr kN) pid_mx_1.
exists (P *m Y) => [|v /submxP [d ->]].
  rewrite -kermx_eq0; apply/eqP.
  have : kermx (P *m Y) *m P *m Y = 0 by rewrite -mulmxA mulmx_ker.
  move/eqP; rewrite (mulmx_free_eq0 _ Y_free) => /eqP K0.
  by rewrite -[kermx _]mulmx1 -PP mulmxA K0 mul0mx.
rewrite [d *m _]mulmxA; set c := d *m P; apply: le_trans (below c).
apply: le_trans (_ : s ^+ 2 * (hi * nsq c) <= _); first by rewrite ler_wpmul2l ?sqr_ge0.
rewrite mulrA /nsq mulr_sumr; apply: ler_sum => j _.
case: (ltnP j k) => jk; first by apply: ler_wpmul2r (sl _ jk); exact: sqr_ge0.
have -> : c 0 j = 0 by rewrite mxE big1 // => i _; rewrite mxE (ltn_eqF (leq_trans (ltn_ord i) jk)) mulr0.
by rewrite expr0n /= !mulr0.
Qed.

Lemma at_most (k : nat) (u : 'I_N -> R) (s x : R) : (0 < k)%N -> 0 <= s -> 0 <= x ->
  (forall c : 'rV_N, nsq (c *m Y *m A) <= \sum_j u j * c 0 j ^+ 2) ->
  (forall j : 'I_N, (k <= j.+1)%N -> u j <= x ^+ 2 * lo) -> sv_ge k A s -> s <= x.
Proof.
move=> k0 s0 x0 above ux /(sv_ge_squares _ _ s0) [U Uf H].
have Yu : Y \in unitmx by rewrite -row_free_unit Y_free.
pose V := U *m invmx Y *m (pid_mx k.-1 : 'M_(N, k.-1)).
have /rowV0Pn [d dV d0] : kermx V != 0.
  rewrite kermx_eq0; apply/negP => /eqP rank_k.
  by have := rank_leq_col V; rewrite rank_k -{1}(prednK k0) ltnn.
pose v := d *m U; pose c := v *m invmx Y.
have vc : v = c *m Y by rewrite /c mulmxKV.
have v0 : 0 < nsq v.
  rewrite lt_neqAle nsq_ge0 andbT; apply: contraNneq d0 => nv0.
  have : v = 0 by apply: nsq_eq0; rewrite -nv0.
  by move/eqP; rewrite /v (mulmx_free_eq0 _ Uf).
have cP : c *m (pid_mx k.-1 : 'M_(N, k.-1)) = 0.
  by rewrite /c /v -!mulmxA [U *m _]mulmxA; apply/sub_kermxP.
clearbody c; have cj (j : 'I_N) : (j < k.-1)%N -> c 0 j = 0.
  move=> jk; have := congr1 (fun z : 'rV_k.-1 => z 0 (Ordinal jk)) cP; rewrite !mxE (bigD1 j) //= big1; last first.
    by move=> i; rewrite mxE /= -val_eqE /= => /negPf ->; rewrite mulr0.
  by rewrite addr0 mxE /= eqxx jk mulr1.
have le : s ^+ 2 * nsq v <= x ^+ 2 * nsq v.
  apply: le_trans (H v (submxMl _ _)) _; rewrite {1}vc; apply: le_trans (above c) _.
  apply: le_trans (_ : x ^+ 2 * (lo * nsq c) <= _); last by rewrite vc ler_wpmul2l ?sqr_ge0.
  rewrite mulrA /nsq mulr_sumr; apply: ler_sum => j _.
  case: (ltnP j k.-1) => jk; first by rewrite cj // expr0n /= !mulr0.
  by apply: ler_wpmul2r; [exact: sqr_ge0 | apply: ux; rewrite -(prednK k0)].
by move: le; rewrite ler_pmul2r // ler_sqr.
Qed.
End GramBounds.

(** * Gershgorin's bounds of a quadratic form *)

Section Gershgorin.
Variables (R : rcfType) (n : nat) (S : 'M[R]_n) (w : 'I_n -> R).
Hypothesis S_sym : forall i j, S i j = S j i.
Hypothesis w_gt0 : forall j, 0 < w j.

Definition quadratic (c : 'rV[R]_n) := \sum_i \sum_j c 0 i * c 0 j * S i j.
Definition radius j := (\sum_(i | i != j) `|S i j| * w i) / w j.

Lemma twice_product (x y p : R) : 0 < p -> `|x * y| *+ 2 <= x ^+ 2 * p + y ^+ 2 / p.
Proof.
move=> p0; have p_neq0 : p != 0 by exact: lt0r_neq0.
rewrite normrM -(real_normK (num_real x)) -(real_normK (num_real y)).
set a := `|x|; set b := `|y|; rewrite -subr_ge0.
suff -> : a ^+ 2 * p + b ^+ 2 / p - a * b *+ 2 = (a * p - b) ^+ 2 / p.
  by apply: divr_ge0; [exact: sqr_ge0 | exact: ltW].
rewrite sqrrB mulrDl mulrBl -mulrnAl [a * p * b]mulrAC -mulrnAl mulfK // exprMn [p ^+ 2]expr2 mulrA mulfK //.
by rewrite mulrnAl addrAC.
Qed.

Lemma off_diagonal (c : 'rV[R]_n) :
  `|\sum_i \sum_(j | j != i) c 0 i * c 0 j * S i j| <= \sum_i radius i * c 0 i ^+ 2.
Proof.
pose f i j := c 0 i ^+ 2 * (`|S j i| * w j / w i).
have half i j : `|c 0 i * c 0 j * S i j| *+ 2 <= f i j + f j i.
  have p0 : 0 < w j / w i by rewrite divr_gt0.
  have := ler_wpmul2r (normr_ge0 (S i j)) (twice_product (c 0 i) (c 0 j) p0).
  rewrite mulrnAl -normrM => le; apply: le_trans le _; rewrite invf_div mulrDl /f (S_sym j i).
  by rewrite -!mulrA ![`|S i j| * _]mulrC -!mulrA.
have sum_f : \sum_i \sum_(j | j != i) f i j = \sum_i radius i * c 0 i ^+ 2.
  apply: eq_bigr => i _; rewrite /radius mulrC mulr_suml mulr_sumr.
  by apply: eq_bigr => j _.
rewrite -sum_f -(ler_pmuln2r (isT : 0 < 2)%N) [X in _ <= X]mulr2n.
have {2}-> : \sum_i \sum_(j | j != i) f i j = \sum_i \sum_(j | j != i) f j i.
  by rewrite (exchange_big_dep predT) //=; apply: eq_bigr => i _; apply: eq_bigl => j; rewrite eq_sym.
rewrite -big_split /=.
apply: le_trans (_ : (\sum_i \sum_(j | j != i) `|c 0 i * c 0 j * S i j|) *+ 2 <= _).
  rewrite ler_muln2r /=; apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => i _; exact: ler_norm_sum.
rewrite -sumrMnl; apply: ler_sum => i _; rewrite -sumrMnl -big_split /=; apply: ler_sum => j _; exact: half.
Qed.

Lemma split_quadratic (c : 'rV_n) :
  quadratic c = \sum_i S i i * c 0 i ^+ 2 + \sum_i \sum_(j | j != i) c 0 i * c 0 j * S i j.
Proof.
rewrite /quadratic -big_split /=; apply: eq_bigr => i _; rewrite (bigD1 i) //=; congr (_ + _).
by rewrite expr2 mulrC.
Qed.

Lemma quadratic_le (c : 'rV_n) : quadratic c <= \sum_j (S j j + radius j) * c 0 j ^+ 2.
Proof.
rewrite split_quadratic; under [X in _ <= X]eq_bigr => j _ do rewrite mulrDl.
by rewrite big_split /= ler_add2l; apply: le_trans (off_diagonal c); exact: ler_norm.
Qed.

Lemma quadratic_ge (c : 'rV_n) : \sum_j (S j j - radius j) * c 0 j ^+ 2 <= quadratic c.
Proof.
rewrite split_quadratic; under eq_bigr => j _ do rewrite mulrBl.
rewrite big_split /= ler_add2l sumrN ler_oppl; apply: le_trans (off_diagonal c).
by rewrite -normrN; exact: ler_norm.
Qed.
End Gershgorin.

(** The squared length of a combination of rows is the quadratic form of their Gram matrix. *)
Lemma nsq_gram (R : rcfType) n m (B : 'M[R]_(n, m)) (c : 'rV_n) : nsq (c *m B) = quadratic (B *m B^T) c.
Proof.
rewrite /nsq /quadratic; under eq_bigr => k _ do rewrite mxE expr2 big_distrlr /=.
rewrite exchange_big; apply: eq_bigr => i _; rewrite exchange_big; apply: eq_bigr => j _ /=.
by rewrite mxE mulr_sumr; apply: eq_bigr => k _; rewrite mxE mulrACA.
Qed.

Lemma gram_sym (R : rcfType) n m (B : 'M[R]_(n, m)) i j : (B *m B^T) i j = (B *m B^T) j i.
Proof. by rewrite !mxE; apply: eq_bigr => k _; rewrite !mxE mulrC. Qed.

(** * Gershgorin's bounds from rows that are known approximately *)

Section Approximate.
Variables (R : rcfType) (n m : nat) (b t : 'M[R]_(n, m)) (beta length : R) (w : 'I_n -> R).
Hypothesis near : forall i k, `|b i k - t i k| <= beta.
Hypothesis lengths : forall i, \sum_k `|t i k| <= length.
Hypothesis w_gt0 : forall j, 0 < w j.
Hypothesis beta_ge0 : 0 <= beta.

Let S := b *m b^T.
Let T := t *m t^T.
Definition gram_slack := beta * (2 * length) + m%:R * (beta * beta).
Definition row_sum (e : R) j := \sum_i (`|T j i| + e) * w i.

Lemma product_difference (p q x z : R) : (p + x) * (q + z) - p * q = x * q + p * z + x * z.
Proof.
by apply/eqP; rewrite subr_eq; apply/eqP; rewrite mulrDl !mulrDr [RHS]addrC -!addrA; congr (_ + _); rewrite addrCA.
Qed.

Lemma gram_near i j : `|S i j - T i j| <= gram_slack.
Proof.
rewrite /S /T !mxE -sumrB; apply: le_trans (ler_norm_sum _ _ _) _.
apply: le_trans (_ : \sum_k (beta * (`|t i k| + `|t j k|) + beta * beta) <= _).
  apply: ler_sum => k _; rewrite !mxE.
  set x := b i k - t i k; set z := b j k - t j k.
  have -> : b i k * b j k - t i k * t j k = x * t j k + t i k * z + x * z.
    have -> : b i k = t i k + x by rewrite addrC subrK.
    have -> : b j k = t j k + z by rewrite addrC subrK.
    exact: product_difference.
  have xb : `|x| <= beta by exact: near.
  have zb : `|z| <= beta by exact: near.
  clearbody x z.
  apply: le_trans (ler_norm_add _ _) _; apply: ler_add; last by rewrite normrM ler_pmul.
  apply: le_trans (ler_norm_add _ _) _; rewrite mulrDr addrC !normrM.
  by apply: ler_add; [rewrite mulrC ler_wpmul2r | rewrite ler_wpmul2r].
rewrite /gram_slack big_split /= sumr_const card_ord mulr_natl ler_add2r -mulr_sumr ler_wpmul2l //.
by rewrite big_split /= mulr_natl mulr2n ler_add.
Qed.

Lemma slack_ge0 (i : 'I_n) : 0 <= gram_slack.
Proof. exact: le_trans (normr_ge0 _) (gram_near i i). Qed.

Lemma norm_near i j : `|S i j| <= `|T j i| + gram_slack.
Proof.
have -> : S i j = T j i + (S i j - T j i) by rewrite addrC subrK.
by apply: le_trans (ler_norm_add _ _) _; rewrite ler_add2l /T gram_sym; exact: gram_near.
Qed.

Lemma radius_near j : radius S w j + (`|T j j| + gram_slack) <= row_sum gram_slack j / w j.
Proof.
rewrite ler_pdivl_mulr // mulrDl divfK ?lt0r_neq0 // /row_sum [X in _ <= X](bigD1 j) //= addrC ler_add2l.
by apply: ler_sum => i ij; rewrite ler_wpmul2r ?norm_near // ltW.
Qed.

Lemma approximate_gram_le (c : 'rV_n) : nsq (c *m b) <= \sum_j row_sum gram_slack j / w j * c 0 j ^+ 2.
Proof.
rewrite nsq_gram; apply: le_trans (quadratic_le (gram_sym b) w_gt0 c) _; apply: ler_sum => j _.
rewrite ler_wpmul2r ?sqr_ge0 //; apply: le_trans (radius_near j); rewrite addrC ler_add2l.
exact: le_trans (ler_norm _) (norm_near j j).
Qed.

Lemma approximate_gram_ge (c : 'rV_n) :
  \sum_j (2 * T j j - row_sum gram_slack j / w j) * c 0 j ^+ 2 <= nsq (c *m b).
Proof.
rewrite nsq_gram; apply: le_trans (quadratic_ge (gram_sym b) w_gt0 c); apply: ler_sum => j _.
rewrite ler_wpmul2r ?sqr_ge0 //.
apply: le_trans (_ : 2 * T j j - (radius S w j + (`|T j j| + gram_slack)) <= _).
  by rewrite ler_add2l ler_opp2 radius_near.
rewrite opprD addrCA [X in _ <= X]addrC ler_add2l ler_subl_addr mulr_natl mulr2n addrCA.
apply: ler_add; first exact: ler_norm.
by rewrite -ler_subl_addl; apply: le_trans (ler_norm _) _; rewrite distrC; exact: gram_near.
Qed.
End Approximate.
