(** * Cosines and sines of the multiples of an angle as polynomials in y = sin^2(theta / 2)

      cos k theta = sum_j (-4 y)^j / (2 j)!  k^2 (k^2 - 1) ... (k^2 - (j - 1)^2),
      sin k theta = sin theta  sum_j (-4 y)^j / (2 j + 1)!  k (k^2 - 1) ... (k^2 - j^2)   for every integer k
    (the sums end by themselves), by second differences in k.  Classical. *)
From Coq Require Import Reals List Lia Lra ZArith.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils.
Import ListNotations.
Open Scope R_scope.

(** ** Finite sums over j < n *)

Fixpoint psum (f : nat -> R) (n : nat) : R := match n with O => 0 | S n' => psum f n' + f n' end.

Lemma psum_ext f g n : (forall j, (j < n)%nat -> f j = g j) -> psum f n = psum g n.
Proof. induction n as [|n IH]; simpl; intros H; [reflexivity|]. rewrite IH, H; auto. Qed.

Lemma psum_shift f n : psum f (S n) = f O + psum (fun j => f (S j)) n.
Proof. induction n as [|n IH]; [simpl; ring|]. change (psum f (S (S n))) with (psum f (S n) + f (S n)). rewrite IH; simpl; ring. Qed.

Lemma psum_plus f g n : psum (fun j => f j + g j) n = psum f n + psum g n.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma psum_scal a f n : psum (fun j => a * f j) n = a * psum f n.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma psum_zero f n : (forall j, (j < n)%nat -> f j = 0) -> psum f n = 0.
Proof. intros H. induction n as [|n IH]; simpl; [reflexivity|]. rewrite IH, H; auto; ring. Qed.

Lemma psum_nonneg f n : (forall j, (j < n)%nat -> 0 <= f j) -> 0 <= psum f n.
Proof.
intros H. induction n as [|n IH]; simpl; [lra|].
assert (0 <= psum f n) by auto. assert (0 <= f n) by auto. lra.
Qed.

Lemma wsum_psum S (f : nat -> R -> R) n : wsum S (fun s => psum (fun j => f j s) n) = psum (fun j => wsum S (f j)) n.
Proof. induction n as [|n IH]; simpl; [apply wsum_zero|]. now rewrite wsum_plus, IH. Qed.

Lemma is_derive_psum (f : nat -> R -> R) (f' : nat -> R) x n :
  (forall j, (j < n)%nat -> is_derive (f j) x (f' j)) -> is_derive (fun t => psum (fun j => f j t) n) x (psum f' n).
Proof.
intros H. induction n as [|n IH]; simpl; [exact (is_derive_const 0 x)|].
apply (is_derive_plus (fun t => psum (fun j => f j t) n) (f n) x (psum f' n) (f' n)); auto.
Qed.

(** ** Multiples of an angle as polynomials in y = sin^2(theta / 2) *)

Definition y_of (theta : R) : R := sin (theta / 2) * sin (theta / 2).

Lemma cos_y theta : cos theta = 1 - 2 * y_of theta.
Proof. unfold y_of. replace theta with (2 * (theta / 2)) at 1 by field. rewrite cos_2a_sin. ring. Qed.

Lemma y_nonneg theta : 0 <= y_of theta.
Proof. unfold y_of. apply Rle_0_sqr. Qed.

(** k^2 (k^2 - 1) ... (k^2 - (j-1)^2)  and  k (k^2 - 1) ... (k^2 - j^2). *)
Fixpoint even_product (j : nat) (k : R) : R :=
  match j with O => 1 | S i => even_product i k * (k * k - INR i * INR i) end.
Fixpoint odd_product (j : nat) (k : R) : R :=
  match j with O => k | S i => odd_product i k * (k * k - INR (S i) * INR (S i)) end.

Lemma even_product_S j k : even_product (S j) k = even_product j k * (k * k - INR j * INR j).
Proof. reflexivity. Qed.
Lemma odd_product_S j k : odd_product (S j) k = odd_product j k * (k * k - INR (S j) * INR (S j)).
Proof. reflexivity. Qed.

Lemma even_odd_product j k : even_product (S j) k = k * odd_product j k.
Proof.
induction j as [|j IH]; [simpl; ring|].
rewrite even_product_S, IH, odd_product_S. ring.
Qed.

Lemma odd_product_right j k : odd_product (S j) (k + 1) = (k + INR j + 1) * (k + INR j + 2) * odd_product j k.
Proof.
induction j as [|j IH]; [simpl; ring|].
rewrite odd_product_S, IH, odd_product_S, !S_INR. ring.
Qed.

Lemma odd_product_left j k : odd_product (S j) (k - 1) = (k - INR j - 1) * (k - INR j - 2) * odd_product j k.
Proof.
induction j as [|j IH]; [simpl; ring|].
rewrite odd_product_S, IH, odd_product_S, !S_INR. ring.
Qed.

(** Second differences of the products in k. *)
Lemma odd_product_second j k :
  odd_product (S j) (k + 1) + odd_product (S j) (k - 1) - 2 * odd_product (S j) k
  = (2 * INR j + 2) * (2 * INR j + 3) * odd_product j k.
Proof.
rewrite odd_product_right, odd_product_left, odd_product_S, S_INR. ring.
Qed.

Lemma even_product_second j k :
  even_product (S j) (k + 1) + even_product (S j) (k - 1) - 2 * even_product (S j) k
  = (2 * INR j + 1) * (2 * INR j + 2) * even_product j k.
Proof.
destruct j as [|i]; [simpl; ring|].
rewrite !even_odd_product, odd_product_right, odd_product_left, odd_product_S, S_INR. ring.
Qed.

Lemma even_product_at_0 j : even_product (S j) 0 = 0.
Proof. rewrite even_odd_product. ring. Qed.

Lemma odd_product_at_0 j : odd_product j 0 = 0.
Proof. induction j as [|j IH]; simpl; [reflexivity | rewrite IH; ring]. Qed.

Lemma odd_product_at_1 j : odd_product (S j) 1 = 0.
Proof. induction j as [|j IH]; [simpl; ring|]. rewrite odd_product_S, IH. ring. Qed.

Lemma even_product_neg j k : even_product j (- k) = even_product j k.
Proof. induction j as [|j IH]; simpl; [reflexivity|]. rewrite IH. ring. Qed.

Lemma odd_product_neg j k : odd_product j (- k) = - odd_product j k.
Proof. induction j as [|j IH]; [simpl; ring|]. rewrite !odd_product_S, IH. ring. Qed.

Lemma INR_fact_S n : INR (fact (S n)) = (INR n + 1) * INR (fact n).
Proof. rewrite fact_simpl, mult_INR, S_INR. ring. Qed.

Definition cos_term (y k : R) (j : nat) : R := (-4 * y) ^ j / INR (fact (2 * j)) * even_product j k.
Definition sin_term (y k : R) (j : nat) : R := (-4 * y) ^ j / INR (fact (2 * j + 1)) * odd_product j k.

Lemma sin_term_0 y k : sin_term y k 0 = k.
Proof. unfold sin_term; simpl. field. Qed.

Lemma cos_term_second y k j :
  cos_term y (k + 1) (S j) + cos_term y (k - 1) (S j) - 2 * cos_term y k (S j) = -4 * y * cos_term y k j.
Proof.
unfold cos_term.
replace (2 * S j)%nat with (S (S (2 * j))) by lia.
rewrite !INR_fact_S, S_INR, mult_INR. simpl (INR 2). simpl pow.
pose proof (INR_fact_neq_0 (2 * j)) as Hf. pose proof (pos_INR j) as Hj.
apply (Rmult_eq_reg_r ((2 * INR j + 1 + 1) * ((2 * INR j + 1) * INR (fact (2 * j))))).
2: { repeat apply Rmult_integral_contrapositive_currified; auto; lra. }
transitivity (-4 * y * (-4 * y) ^ j * (even_product (S j) (k + 1) + even_product (S j) (k - 1) - 2 * even_product (S j) k)).
{ field. repeat split; auto; lra. }
rewrite even_product_second. field. auto.
Qed.

Lemma sin_term_second y k j :
  sin_term y (k + 1) (S j) + sin_term y (k - 1) (S j) - 2 * sin_term y k (S j) = -4 * y * sin_term y k j.
Proof.
unfold sin_term.
replace (2 * S j + 1)%nat with (S (S (2 * j + 1))) by lia.
rewrite !INR_fact_S, S_INR, plus_INR, mult_INR. simpl (INR 2). simpl (INR 1). simpl pow.
pose proof (INR_fact_neq_0 (2 * j + 1)) as Hf. pose proof (pos_INR j) as Hj.
apply (Rmult_eq_reg_r ((2 * INR j + 1 + 1 + 1) * ((2 * INR j + 1 + 1) * INR (fact (2 * j + 1))))).
2: { repeat apply Rmult_integral_contrapositive_currified; auto; lra. }
transitivity (-4 * y * (-4 * y) ^ j * (odd_product (S j) (k + 1) + odd_product (S j) (k - 1) - 2 * odd_product (S j) k)).
{ field. repeat split; auto; lra. }
rewrite odd_product_second. field. auto.
Qed.

Lemma psum_three (f g h : nat -> R) n : (forall j, f j = 2 * h j - g j) -> psum f n = 2 * psum h n - psum g n.
Proof. intros H. induction n as [|n IH]; simpl; [ring|]. rewrite IH, H. ring. Qed.

(** The expansions, for natural k and enough terms. *)
Lemma cos_multiple theta k : forall n, (k < n)%nat -> cos (INR k * theta) = psum (cos_term (y_of theta) (INR k)) n.
Proof.
set (y := y_of theta).
enough (H : (forall n, (k < n)%nat -> cos (INR k * theta) = psum (cos_term y (INR k)) n)
            /\ (forall n, (S k < n)%nat -> cos (INR (S k) * theta) = psum (cos_term y (INR (S k))) n)) by apply H.
induction k as [|k [IH0 IH1]].
- split; intros [|n] Hn; try lia.
  + rewrite psum_shift, psum_zero.
    2: { intros j _. unfold cos_term. simpl INR. rewrite even_product_at_0. ring. }
    simpl INR. rewrite Rmult_0_l, cos_0. unfold cos_term; simpl. field.
  + destruct n as [|n]; try lia. rewrite !psum_shift, psum_zero.
    2: { intros j _. unfold cos_term. simpl INR. rewrite even_odd_product, odd_product_at_1. ring. }
    simpl INR. rewrite Rmult_1_l, cos_y. fold y. unfold cos_term; simpl. field.
- split; [exact IH1|]. intros [|n] Hn; [lia|].
  assert (E : psum (cos_term y (INR (S (S k)))) (S n)
              = 2 * psum (cos_term y (INR (S k))) (S n) - psum (cos_term y (INR k)) (S n)
                + -4 * y * psum (cos_term y (INR (S k))) n).
  { rewrite !psum_shift, <- psum_scal.
    replace (cos_term y (INR (S (S k))) 0) with (cos_term y (INR (S k)) 0) by reflexivity.
    replace (cos_term y (INR k) 0) with (cos_term y (INR (S k)) 0) by reflexivity.
    rewrite (psum_ext (fun j => cos_term y (INR (S (S k))) (S j))
               (fun j => (2 * cos_term y (INR (S k)) (S j) + (-1) * cos_term y (INR k) (S j)) + -4 * y * cos_term y (INR (S k)) j)).
    2: { intros j _. rewrite <- cos_term_second. rewrite (S_INR (S k)).
         replace (INR (S k) - 1) with (INR k) by (rewrite S_INR; ring). ring. }
    rewrite !psum_plus, !psum_scal. ring. }
  rewrite E, <- IH0, <- !IH1 by lia.
  rewrite !(S_INR (S k)), S_INR.
  replace ((INR k + 1 + 1) * theta) with ((INR k + 1) * theta + theta) by ring.
  replace (INR k * theta) with ((INR k + 1) * theta - theta) by ring.
  rewrite cos_plus, cos_minus, (cos_y theta). fold y. ring.
Qed.

Lemma sin_multiple theta k : forall n, (k <= n)%nat ->
  sin (INR k * theta) = sin theta * psum (sin_term (y_of theta) (INR k)) n.
Proof.
set (y := y_of theta).
enough (H : (forall n, (k <= n)%nat -> sin (INR k * theta) = sin theta * psum (sin_term y (INR k)) n)
            /\ (forall n, (S k <= n)%nat -> sin (INR (S k) * theta) = sin theta * psum (sin_term y (INR (S k))) n)) by apply H.
induction k as [|k [IH0 IH1]].
- split; intros n Hn.
  + rewrite psum_zero.
    2: { intros j _. unfold sin_term. simpl INR. rewrite odd_product_at_0. ring. }
    simpl INR. rewrite Rmult_0_l, sin_0. ring.
  + destruct n as [|n]; try lia. rewrite !psum_shift, psum_zero.
    2: { intros j _. unfold sin_term. simpl INR. rewrite odd_product_at_1. ring. }
    simpl INR. rewrite Rmult_1_l. unfold sin_term; simpl. field.
- split; [exact IH1|]. intros [|n] Hn; [lia|].
  assert (E : psum (sin_term y (INR (S (S k)))) (S n)
              = 2 * psum (sin_term y (INR (S k))) (S n) - psum (sin_term y (INR k)) (S n)
                + -4 * y * psum (sin_term y (INR (S k))) n).
  { rewrite !psum_shift, <- psum_scal.
    rewrite (psum_ext (fun j => sin_term y (INR (S (S k))) (S j))
               (fun j => (2 * sin_term y (INR (S k)) (S j) + (-1) * sin_term y (INR k) (S j)) + -4 * y * sin_term y (INR (S k)) j)).
    2: { intros j _. rewrite <- sin_term_second. rewrite (S_INR (S k)).
         replace (INR (S k) - 1) with (INR k) by (rewrite S_INR; ring). ring. }
    rewrite !psum_plus, !psum_scal, !sin_term_0, !(S_INR (S k)), S_INR. ring. }
  rewrite E.
  replace (sin theta * (2 * psum (sin_term y (INR (S k))) (S n) - psum (sin_term y (INR k)) (S n)
                + -4 * y * psum (sin_term y (INR (S k))) n))
    with (2 * (sin theta * psum (sin_term y (INR (S k))) (S n)) - sin theta * psum (sin_term y (INR k)) (S n)
                + -4 * y * (sin theta * psum (sin_term y (INR (S k))) n)) by ring.
  rewrite <- IH0, <- !IH1 by lia.
  rewrite !(S_INR (S k)), S_INR.
  replace ((INR k + 1 + 1) * theta) with ((INR k + 1) * theta + theta) by ring.
  replace (INR k * theta) with ((INR k + 1) * theta - theta) by ring.
  rewrite sin_plus, sin_minus, (cos_y theta). fold y. ring.
Qed.

(** The same for integer k. *)
Lemma integer_cases (k : Z) : exists n, (IZR k = INR n \/ IZR k = - INR n) /\ Z.of_nat n = Z.abs k.
Proof.
exists (Z.to_nat (Z.abs k)). rewrite INR_IZR_INZ, Z2Nat.id by apply Z.abs_nonneg. split; auto.
destruct (Z.abs_spec k) as [[_ ->] | [_ ->]]; [now left | right]. rewrite opp_IZR. ring.
Qed.

Lemma cos_integer theta k n : (Z.abs k < Z.of_nat n)%Z -> cos (IZR k * theta) = psum (cos_term (y_of theta) (IZR k)) n.
Proof.
intros H. destruct (integer_cases k) as (i & [E | E] & Hi); rewrite E.
- apply cos_multiple. lia.
- rewrite Ropp_mult_distr_l_reverse, cos_neg, (cos_multiple theta i n) by lia.
  apply psum_ext. intros j _. unfold cos_term. now rewrite even_product_neg.
Qed.

Lemma sin_integer theta k n : (Z.abs k <= Z.of_nat n)%Z ->
  sin (IZR k * theta) = sin theta * psum (sin_term (y_of theta) (IZR k)) n.
Proof.
intros H. destruct (integer_cases k) as (i & [E | E] & Hi); rewrite E.
- apply sin_multiple. lia.
- rewrite Ropp_mult_distr_l_reverse, sin_neg, (sin_multiple theta i n) by lia.
  replace (psum (sin_term (y_of theta) (- INR i)) n) with (-1 * psum (sin_term (y_of theta) (INR i)) n); [ring|].
  rewrite <- psum_scal. apply psum_ext. intros j _. unfold sin_term. rewrite odd_product_neg. ring.
Qed.
