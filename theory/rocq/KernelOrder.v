(** * The kernels of sine and cosine features in the Loewner order, for every law of weights and biases

    K(x_i, x_l) = E [L phi(x_i) L phi(x_l)] with L = d^m/dx^m, and with the finite difference in its place.  As
    L_h phi = m(h w) L phi with |m| <= 1 ([SineOrdering.v]), v K_FD v^T = E [m(h w)^2 (sum_i v_i L phi(x_i))^2]
    <= v K_AD v^T: the expectation of the larger function is the larger one.  Of the expectation no more is used than that
    it is linear and monotone on the integrable functions. *)
From Coq Require Import Reals List Lia Lra FunctionalExtensionality.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils SineFactorisation CentralSymbols.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import SingularValues Spectral Training SineOrdering.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** The expectation [E f] of the [integrable] functions of an outcome: linear and monotone.  The integral by any probability
    law, on the functions that it integrates absolutely, is one. *)
Record expectation (Omega : Type) (integrable : (Omega -> R) -> Prop) (E : (Omega -> R) -> R) : Prop := {
  integrable_sum : forall f g, integrable f -> integrable g -> integrable (fun o => f o + g o);
  integrable_scale : forall (c : R) f, integrable f -> integrable (fun o => c * f o);
  expectation_sum : forall f g, integrable f -> integrable g -> E (fun o => f o + g o) = E f + E g;
  expectation_scale : forall (c : R) f, integrable f -> E (fun o => c * f o) = c * E f;
  expectation_monotone : forall f g, integrable f -> integrable g -> (forall o, f o <= g o) -> E f <= E g }.

(** The finite laws are among them: probabilities q_j of the outcomes j. *)
Lemma finite_expectation n (q : 'I_n -> R) : (forall j, 0 <= q j) ->
  expectation 'I_n (fun _ => True) (fun f => \sum_j q j * f j).
Proof.
move=> q0; split=> //.
- by move=> f g _ _; rewrite -big_split /=; apply: eq_bigr => j _; rewrite mulrDr.
- by move=> c f _; rewrite big_distrr /=; apply: eq_bigr => j _; rewrite mulrCA.
- by move=> f g _ _ fg; apply: ler_sum => j _; apply: ler_wpmul2l.
Qed.

Section Expectation.
Variables (Omega : Type) (integrable : (Omega -> R) -> Prop) (E : (Omega -> R) -> R).
Hypothesis law : expectation Omega integrable E.

(** Finite sums, of at least one integrable function. *)
Lemma expectation_linear n (c : 'I_n -> R) (f : 'I_n -> Omega -> R) : (0 < n)%N -> (forall i, integrable (f i)) ->
  integrable (fun o => \sum_i c i * f i o) /\ E (fun o => \sum_i c i * f i o) = \sum_i c i * E (f i).
Proof.
elim: n c f => [//|n IH] c f _ fi.
have step (g : Omega -> R) : (fun o => \sum_(i < n.+1) c i * f i o) =
    (fun o => c ord0 * f ord0 o + \sum_(i < n) c (lift ord0 i) * f (lift ord0 i) o).
  by apply: functional_extensionality => o; rewrite big_ord_recl.
rewrite (step (f ord0)) big_ord_recl.
have i0 := integrable_scale _ _ _ law (c ord0) _ (fi ord0).
case: n IH c f fi {step} i0 => [|n] IH c f fi i0.
  have -> : (fun o => c ord0 * f ord0 o + \sum_(i < 0) c (lift ord0 i) * f (lift ord0 i) o) = (fun o => c ord0 * f ord0 o).
    by apply: functional_extensionality => o; rewrite big_ord0 addr0.
  by rewrite big_ord0 addr0 (expectation_scale _ _ _ law).
have [is_ es] := IH (fun i => c (lift ord0 i)) (fun i => f (lift ord0 i)) isT (fun i => fi _).
split; first exact: (integrable_sum _ _ _ law).
by rewrite (expectation_sum _ _ _ law) // (expectation_scale _ _ _ law) // es.
Qed.

(** The kernel of M functions of the outcome, and what it is in a direction v. *)
Definition kernel M (a : Omega -> 'I_M -> R) : 'M[R]_M := \matrix_(i, l) E (fun o => a o i * a o l).
Lemma rayleigh_kernel M (a : Omega -> 'I_M -> R) (v : 'rV[R]_M) : (0 < M)%N ->
  (forall i l, integrable (fun o => a o i * a o l)) ->
  integrable (fun o => (\sum_i v 0 i * a o i) ^+ 2) /\
  rayleigh (kernel M a) v = E (fun o => (\sum_i v 0 i * a o i) ^+ 2).
Proof.
move=> M0 ai.
have -> : (fun o => (\sum_i v 0 i * a o i) ^+ 2) = (fun o => \sum_l v 0 l * (\sum_i v 0 i * (a o i * a o l))).
  apply: functional_extensionality => o; rewrite expr2 mulr_sumr; apply: eq_bigr => l _.
  by rewrite mulrCA mulr_suml; congr (_ * _); apply: eq_bigr => i _; rewrite mulrA.
have inner l := expectation_linear M (fun i => v 0 i) (fun i o => a o i * a o l) M0 (fun i => ai i l).
have [io eo] := expectation_linear M (fun l => v 0 l) (fun l o => \sum_i v 0 i * (a o i * a o l)) M0 (fun l => proj1 (inner l)).
split=> //; rewrite eo /rayleigh /dot; apply: eq_bigr => l _.
by rewrite mulrC (proj2 (inner l)) mxE; congr (_ * _); apply: eq_bigr => i _; rewrite mxE.
Qed.

(** L phi(x_i), and its difference, of the feature with the weight and the bias of an outcome. *)
Definition L_phi act m (w b : Omega -> R) (x : nat -> R) M (o : Omega) (i : 'I_M) : R :=
  A_AD act m (fun _ => w o) (fun _ => b o) x i 0%N.
Definition Lh_phi act m S h (w b : Omega -> R) (x : nat -> R) M (o : Omega) (i : 'I_M) : R :=
  A_FD act m S h (fun _ => w o) (fun _ => b o) x i 0%N.

(** In expectation: sine or cosine features, every m >= 1, every even order p, the standard central stencil, any step
    h <> 0, any M points x_i.  For every law of (w, b) under which the products of the derivatives L phi(x_i) and of the
    differences L_h phi(x_i) are integrable, the kernel of FD is at most that of AD in the Loewner order. *)
Theorem kernel_order_of_laws act m p S (h : R) (w b : Omega -> R) (x : nat -> R) M : act = sin \/ act = cos ->
  standard_central m p S -> h <> 0 ->
  (forall i l, integrable (fun o => L_phi act m w b x M o i * L_phi act m w b x M o l)) ->
  (forall i l, integrable (fun o => Lh_phi act m S h w b x M o i * Lh_phi act m S h w b x M o l)) ->
  loewner (kernel M (Lh_phi act m S h w b x M)) (kernel M (L_phi act m w b x M)).
Proof.
move=> Hs HS Hh; case: M => [|M] iA iF v; first by rewrite /rayleigh /dot !big_ord0.
have [fF eF] := rayleigh_kernel M.+1 _ v isT iF; have [fA eA] := rayleigh_kernel M.+1 _ v isT iA.
rewrite eF eA; apply: (expectation_monotone _ _ _ law) => // o.
have -> : \sum_i v 0 i * Lh_phi act m S h w b x M.+1 o i =
    factor m S (h * w o) * \sum_i v 0 i * L_phi act m w b x M.+1 o i.
  rewrite mulr_sumr; apply: eq_bigr => i _; rewrite /Lh_phi /L_phi.
  rewrite (entries_central act m p S h (fun _ => w o) (fun _ => b o) x Hs HS Hh i 0%N).
  by rewrite [RHS]mulrCA; congr (_ * _); exact: mulrC.
rewrite exprMn ler_pimull ?sqr_ge0 // -(real_normK (num_real _)) expr_le1 //.
by apply/RleP; exact: factor_central HS.
Qed.
End Expectation.
