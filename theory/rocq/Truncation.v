(** * The truncation expansion of a finite difference on polynomials, without a remainder

    D_h u (x) = sum_n h^(n - m) (sum_k c_k s_k^n / n!) u^(n)(x)  for every polynomial u, by Taylor's formula, which is exact
    for polynomials; the moment equations leave the derivative itself and the terms from h^p on.  Classical. *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils MultipleAngles.
Import ListNotations.
Open Scope R_scope.

(** u is a polynomial of degree at most d. *)
Definition polynomial (d : nat) (u : R -> R) : Prop := exists a : nat -> R, forall x, u x = psum (fun i => a i * x ^ i) (S d).

(** The coefficients of the expansion,  e_q = sum_k c_k s_k^(m+q) / (m+q)!. *)
Definition error_coefficient (m : nat) (S : stencil) (q : nat) : R := moment S (m + q) / INR (fact (m + q)).

(** The derivative of a polynomial is a polynomial of lower degree. *)
Lemma polynomial_derive d u : polynomial (S d) u -> exists v, polynomial d v /\ forall x, is_derive u x (v x).
Proof.
intros [a Ha]. exists (fun x => psum (fun i => (INR (S i) * a (S i)) * x ^ i) (S d)). split.
- now exists (fun i => INR (S i) * a (S i)).
- intros x. apply (is_derive_ext (fun x => psum (fun i => a i * x ^ i) (S (S d)))); [intros t; symmetry; apply Ha|].
  replace (psum (fun i => INR (S i) * a (S i) * x ^ i) (S d)) with (psum (fun i => a i * (INR i * x ^ pred i)) (S (S d))).
  + apply (is_derive_psum (fun i t => a i * t ^ i)). intros i _. apply is_derive_scal.
    replace (INR i * x ^ pred i) with (INR i * 1 * x ^ pred i) by ring.
    apply (is_derive_pow (fun t => t) i x 1), (is_derive_id x).
  + rewrite psum_shift. simpl (INR 0). rewrite Rmult_0_l, Rmult_0_r, Rplus_0_l. apply psum_ext. intros i _. simpl pred. ring.
Qed.

Lemma constant_by_derivative (f : R -> R) : (forall x, is_derive f x 0) -> forall x, f x = f 0.
Proof.
intros H x. destruct (MVT_gen f 0 x (fun _ => 0)) as [c [_ E]].
- intros t _. apply H.
- intros t _. apply continuity_pt_filterlim. apply (ex_derive_continuous f). eexists. apply H.
- lra.
Qed.

Lemma Derive_n_shift u v n x : (forall x, is_derive u x (v x)) -> Derive_n v n x = Derive_n u (S n) x.
Proof.
intros H. revert x. induction n as [|n IH]; intros x.
- simpl. symmetry. apply is_derive_unique, H.
- simpl. apply Derive_ext. intros t. rewrite IH. reflexivity.
Qed.

(** Taylor's formula for polynomials. *)
Lemma polynomial_taylor d : forall u, polynomial d u ->
  forall x t, u (x + t) = psum (fun n => t ^ n / INR (fact n) * Derive_n u n x) (S d).
Proof.
induction d as [|d IH]; intros u Hu x t.
- destruct Hu as [a Ha]. rewrite !Ha. simpl. rewrite Ha. simpl. field.
- destruct (polynomial_derive d u Hu) as (v & Hv & Hd).
  set (g := fun t => psum (fun n => t ^ n / INR (fact n) * Derive_n u n x) (S (S d))).
  assert (Hg : forall t, is_derive g t (v (x + t))).
  { intros r. unfold g. rewrite (IH v Hv x r).
    replace (psum (fun n => r ^ n / INR (fact n) * Derive_n v n x) (S d))
      with (psum (fun n => (INR n * r ^ pred n) / INR (fact n) * Derive_n u n x) (S (S d))).
    - apply (is_derive_psum (fun n t => t ^ n / INR (fact n) * Derive_n u n x)). intros n _.
      apply (is_derive_ext (fun t => (Derive_n u n x / INR (fact n)) * t ^ n)); [intros q; unfold Rdiv; simpl; ring|].
      replace (INR n * r ^ pred n / INR (fact n) * Derive_n u n x)
        with (Derive_n u n x / INR (fact n) * (INR n * 1 * r ^ pred n)) by (unfold Rdiv; ring).
      apply is_derive_scal, (is_derive_pow (fun t => t) n r 1), (is_derive_id r).
    - rewrite psum_shift. simpl (INR 0). rewrite Rmult_0_l. unfold Rdiv at 1. rewrite !Rmult_0_l, Rplus_0_l.
      apply psum_ext. intros n _. rewrite (Derive_n_shift u v n x Hd), INR_fact_S, S_INR. simpl pred.
      pose proof (INR_fact_neq_0 n). pose proof (pos_INR n). field. split; lra. }
  pose proof (constant_by_derivative (fun t => u (x + t) - g t)) as Hc.
  assert (E : u (x + t) - g t = u (x + 0) - g 0).
  { apply Hc. intros r. replace 0 with (v (x + r) - v (x + r)) by ring.
    apply (is_derive_minus (fun t => u (x + t)) g r (v (x + r)) (v (x + r))); [|apply Hg].
    replace (v (x + r)) with (1 * v (x + r)) by ring.
    apply (is_derive_comp u (fun t => x + t) r (v (x + r)) 1); [apply Hd|].
    auto_derive; [exact I | ring]. }
  assert (E0 : g 0 = u x).
  { unfold g. rewrite psum_shift, psum_zero.
    - simpl. field.
    - intros n _. rewrite pow_ne_zero by discriminate. unfold Rdiv. ring. }
  rewrite Rplus_0_r, E0 in E. fold (g t). lra.
Qed.

Lemma psum_split f a b : psum f (a + b) = psum f a + psum (fun j => f (a + j)%nat) b.
Proof.
induction b as [|b IH]; [rewrite Nat.add_0_r; simpl; ring|]. rewrite Nat.add_succ_r. simpl. rewrite IH. ring.
Qed.

(** The expansion: every polynomial u of degree at most m + p + k, every x and h <> 0, every stencil of d^m/dx^m with real
    nodes that satisfies the moment equations to order p >= 1:  D_h u = u^(m) + sum_{q = p}^{p + k} e_q h^q u^(m+q). *)
Theorem truncation m p k S u x h : (1 <= p)%nat -> order_conditions m p S -> polynomial (m + p + k) u -> h <> 0 ->
  FD m S h u x
  = Derive_n u m x
    + psum (fun i => error_coefficient m S (p + i) * h ^ (p + i) * Derive_n u (m + (p + i)) x) (k + 1).
Proof.
intros Hp Ho Hu Hh. unfold FD.
assert (Hq : h ^ m <> 0) by now apply pow_nonzero.
rewrite (wsum_ext_all S _ (fun s => psum (fun n => s ^ n * (h ^ n / INR (fact n) * Derive_n u n x)) (Datatypes.S (m + p + k)))).
2: { intros s. rewrite (polynomial_taylor _ u Hu). apply psum_ext. intros n _. rewrite Rpow_mult_distr. unfold Rdiv. ring. }
rewrite wsum_psum.
rewrite (psum_ext _ (fun n => moment S n * (h ^ n / INR (fact n) * Derive_n u n x))).
2: { intros n _. rewrite wsum_scal_r. reflexivity. }
replace (Datatypes.S (m + p + k)) with (m + (p + (k + 1)))%nat by lia.
rewrite psum_split, psum_zero.
2: { intros n Hn. rewrite Ho by lia. destruct (Nat.eqb_spec n m); [lia | ring]. }
rewrite psum_split. destruct p as [|p]; [lia|].
rewrite psum_shift, (psum_zero (fun j => moment S (m + Datatypes.S j) * _)).
2: { intros n Hn. rewrite Ho by lia. destruct (Nat.eqb_spec (m + Datatypes.S n) m); [lia | ring]. }
rewrite Nat.add_0_r, (Ho m) by lia. rewrite Nat.eqb_refl.
rewrite Rplus_0_l, Rplus_0_r. unfold Rdiv at 1. rewrite Rmult_plus_distr_r. f_equal.
- field. split; [exact Hq | apply INR_fact_neq_0].
- rewrite Rmult_comm, <- psum_scal. apply psum_ext. intros i _. unfold error_coefficient.
  rewrite (pow_add h m). pose proof (INR_fact_neq_0 (m + (Datatypes.S p + i))). field. now split.
Qed.
