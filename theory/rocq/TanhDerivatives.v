(** * The derivatives of tanh are polynomials in tanh

    What is proved: for every n the n-th derivative of tanh is a polynomial in tanh of degree n + 1 with the leading coefficient
    (-1)^n n!, and the coefficient of tanh^k is not 0 just for the k <= n + 1 of the parity of n + 1: n/2 + 1 terms, one more
    for odd n.

    The argument: tanh' = 1 - tanh^2, so that P_0 = X, P_(n+1) = (1 - X^2) P_n'; the coefficients alternate in sign, so that
    the two contributions to each have the same sign. *)

From Coq Require Import Reals Lra Lia Arith.
Set Warnings "-ambiguous-paths". (* Coquelicot's own *)
From Coquelicot Require Import Coquelicot.
From adfd Require Import Entropy.
Open Scope R_scope.
Notation sum := Entropy.sum.

(** The coefficient of X^k in P_n. *)
Fixpoint coefficient (n k : nat) : R :=
  match n with
  | O => if Nat.eqb k 1 then 1 else 0
  | S m => INR (S k) * coefficient m (S k) - INR (pred k) * coefficient m (pred k)
  end.

Definition sign (n k : nat) : R := (-1) ^ (n + (S n - k) / 2).

Lemma pow_m1_square j : (-1) ^ j * (-1) ^ j = 1.
Proof. rewrite <- Rpow_mult_distr. replace (-1 * -1) with 1 by ring. apply pow1. Qed.

(** The right powers have coefficients with the sign (-1)^(n + (n + 1 - k) / 2), and the others have none. *)
Lemma coefficient_sign n : forall k,
  ((exists j, S n = (k + 2 * j)%nat) -> 0 < sign n k * coefficient n k) /\
  (~ (exists j, S n = (k + 2 * j)%nat) -> coefficient n k = 0).
Proof.
  induction n as [|n IH]; intros k.
  - simpl coefficient. destruct (Nat.eqb_spec k 1) as [->|N].
    + split; [intros _; unfold sign; simpl; lra | intros F; exfalso; apply F; exists 0%nat; lia].
    + split; [intros [j J]; lia | reflexivity].
  - change (coefficient (S n) k) with (INR (S k) * coefficient n (S k) - INR (pred k) * coefficient n (pred k)). split.
    + intros [j J].
      assert (0 <= sign (S n) k * (INR (S k) * coefficient n (S k))
        /\ (k <> S (S n) -> 0 < sign (S n) k * (INR (S k) * coefficient n (S k)))) as [U1 U2].
      { destruct (Nat.eq_dec k (S (S n))) as [->|N].
        - rewrite (proj2 (IH (S (S (S n))))); [|intros [i I]; lia]. split; [lra | intros F; contradiction].
        - assert (0 < sign (S n) k * (INR (S k) * coefficient n (S k))); [|split; lra].
          destruct (IH (S k)) as [G _]. assert (exists i, S n = (S k + 2 * i)%nat) as E by (exists (j - 1)%nat; lia).
          specialize (G E). assert (sign (S n) k = sign n (S k)) as ->.
          { unfold sign. replace ((S (S n) - k) / 2)%nat with (S ((S n - S k) / 2)).
            - replace (S n + S ((S n - S k) / 2))%nat with (2 + (n + (S n - S k) / 2))%nat by lia.
              rewrite pow_add. simpl. ring.
            - replace (S (S n) - k)%nat with ((S n - S k) + 1 * 2)%nat by lia. rewrite Nat.div_add by lia. lia. }
          rewrite (Rmult_comm (INR (S k))), <- Rmult_assoc. apply Rmult_lt_0_compat; [exact G | apply lt_0_INR; lia]. }
      assert (0 <= sign (S n) k * - (INR (pred k) * coefficient n (pred k))
        /\ (k = S (S n) -> 0 < sign (S n) k * - (INR (pred k) * coefficient n (pred k)))) as [V1 V2].
      { destruct (Nat.le_gt_cases k 1) as [L|L].
        - replace (pred k) with 0%nat by lia. simpl INR. split; [lra | lia].
        - assert (0 < sign (S n) k * - (INR (pred k) * coefficient n (pred k))); [|split; lra].
          destruct (IH (pred k)) as [G _]. specialize (G ltac:(exists j; lia)).
          assert (sign (S n) k = - sign n (pred k)) as ->.
          { unfold sign. replace (S n - pred k)%nat with (S (S n) - k)%nat by lia. simpl. ring. }
          replace (- sign n (pred k) * - (INR (pred k) * coefficient n (pred k)))
            with (sign n (pred k) * coefficient n (pred k) * INR (pred k)) by ring.
          apply Rmult_lt_0_compat; [exact G | apply lt_0_INR; lia]. }
      unfold Rminus. rewrite Rmult_plus_distr_l.
      destruct (Nat.eq_dec k (S (S n))) as [E|E]; [specialize (V2 E) | specialize (U2 E)]; lra.
    + intros F. rewrite (proj2 (IH (S k))); [|intros [j J]; apply F; exists (S j); lia].
      destruct (Nat.eq_dec k 0) as [->|N]; [simpl; ring|].
      rewrite (proj2 (IH (pred k))); [ring|]. intros [j J]. apply F. exists j. lia.
Qed.

Lemma coefficient_beyond n k : (S n < k)%nat -> coefficient n k = 0.
Proof. intros L. apply coefficient_sign. intros [j J]. lia. Qed.

(** The leading coefficient. *)
Lemma leading n : coefficient n (S n) = (-1) ^ n * INR (fact n).
Proof.
  induction n as [|n IH]; [simpl; ring|].
  change (coefficient (S n) (S (S n))) with
    (INR (S (S (S n))) * coefficient n (S (S (S n))) - INR (S n) * coefficient n (S n)).
  rewrite coefficient_beyond, IH by lia. change (fact (S n)) with (S n * fact n)%nat. rewrite mult_INR. simpl pow. ring.
Qed.

(** ** The derivative *)

Definition polynomial (A : nat -> R) (N : nat) (x : R) : R := sum (fun k => A k * x ^ k) N.
Definition derivative (A : nat -> R) (N : nat) (x : R) : R := sum (fun k => INR (S k) * A (S k) * x ^ k) N.

Lemma polynomial_derive A N x : is_derive (polynomial A (S N)) x (derivative A N x).
Proof.
  induction N as [|N IH].
  - apply (is_derive_ext (fun _ => A O)); [intros t; unfold polynomial; simpl; ring|].
    unfold derivative; simpl. apply (@is_derive_const R_AbsRing R_NormedModule).
  - apply (is_derive_ext (fun t => polynomial A (S N) t + A (S N) * t ^ S N)); [reflexivity|].
    unfold derivative. simpl sum. apply (is_derive_plus (polynomial A (S N)) (fun t => A (S N) * t ^ S N)); [exact IH|].
    auto_derive; [exact I|]. simpl pred. ring.
Qed.

Lemma tanh_derive x : is_derive tanh x (1 - tanh x ^ 2).
Proof.
  assert (0 < cosh x) as C by (unfold cosh; pose proof (exp_pos x); pose proof (exp_pos (- x)); lra).
  unfold tanh. replace (1 - (sinh x / cosh x) ^ 2) with ((cosh x * cosh x - sinh x * sinh x) / cosh x ^ 2) by (field; lra).
  apply is_derive_div; [| |lra]; apply is_derive_Reals; [apply derivable_pt_lim_sinh | apply derivable_pt_lim_cosh].
Qed.

(** (1 - X^2) P_n' has the coefficients of P_(n+1). *)
Lemma step_identity A N x : sum (fun k => (INR (S k) * A (S k) - INR (pred k) * A (pred k)) * x ^ k) (S (S N))
  = derivative A (S (S N)) x - x ^ 2 * derivative A N x.
Proof.
  induction N as [|N IH]; [unfold derivative; simpl; ring|].
  change (sum (fun k => (INR (S k) * A (S k) - INR (pred k) * A (pred k)) * x ^ k) (S (S N))
    + (INR (S (S (S N))) * A (S (S (S N))) - INR (S N) * A (S N)) * x ^ S (S N)
    = derivative A (S (S N)) x + INR (S (S (S N))) * A (S (S (S N))) * x ^ S (S N)
      - x ^ 2 * (derivative A N x + INR (S N) * A (S N) * x ^ N)).
  rewrite IH. simpl pow. ring.
Qed.

Lemma derivative_of_tanh n : forall x, is_derive_n tanh n x (polynomial (coefficient n) (S (S n)) (tanh x)).
Proof.
  induction n as [|n IH]; intros x.
  - simpl. unfold polynomial; simpl. ring.
  - change (is_derive (Derive_n tanh n) x (polynomial (coefficient (S n)) (S (S (S n))) (tanh x))).
    apply (is_derive_ext (fun t => polynomial (coefficient n) (S (S n)) (tanh t))).
    { intros t. symmetry. apply is_derive_n_unique, IH. }
    pose proof (is_derive_comp _ _ x _ _ (polynomial_derive (coefficient n) (S n) (tanh x)) (tanh_derive x)) as D.
    replace (polynomial (coefficient (S n)) (S (S (S n))) (tanh x))
      with (scal (1 - tanh x ^ 2) (derivative (coefficient n) (S n) (tanh x))); [exact D|].
    change (polynomial (coefficient (S n)) (S (S (S n))) (tanh x)) with
      (sum (fun k => (INR (S k) * coefficient n (S k) - INR (pred k) * coefficient n (pred k)) * tanh x ^ k) (S (S (S n)))).
    rewrite (step_identity (coefficient n) (S n) (tanh x)). change scal with Rmult.
    assert (derivative (coefficient n) (S (S (S n))) (tanh x) = derivative (coefficient n) (S n) (tanh x)) as ->.
    { unfold derivative. change (sum (fun k => INR (S k) * coefficient n (S k) * tanh x ^ k) (S n)
        + INR (S (S n)) * coefficient n (S (S n)) * tanh x ^ S n
        + INR (S (S (S n))) * coefficient n (S (S (S n))) * tanh x ^ S (S n)
        = sum (fun k => INR (S k) * coefficient n (S k) * tanh x ^ k) (S n)).
      rewrite (coefficient_beyond n (S (S n))), (coefficient_beyond n (S (S (S n)))) by lia. ring. }
    change (@eq R ((1 - tanh x ^ 2) * derivative (coefficient n) (S n) (tanh x))
      (derivative (coefficient n) (S n) (tanh x) - tanh x ^ 2 * derivative (coefficient n) (S n) (tanh x))).
    ring.
Qed.

(** ** The number of terms *)

Definition nonzero (x : R) : bool := if Req_EM_T x 0 then false else true.

Lemma coefficient_nonzero n k : nonzero (coefficient n k) = true <-> exists j, S n = (k + 2 * j)%nat.
Proof.
  destruct (coefficient_sign n k) as [A B]. unfold nonzero. split.
  - intros E. destruct (Req_EM_T (coefficient n k) 0) as [Z|Z]; [discriminate|].
    assert ((exists j, S n = (k + 2 * j)%nat) \/ ~ (exists j, S n = (k + 2 * j)%nat)) as [Y|N].
    { destruct (Nat.le_gt_cases k (S n)) as [L|L]; [|right; intros [j J]; lia].
      pose proof (Nat.div_mod_eq (S n - k) 2) as D. pose proof (Nat.mod_upper_bound (S n - k) 2 ltac:(lia)) as U.
      destruct (Nat.eq_dec ((S n - k) mod 2) 0) as [M|M]; [left; exists ((S n - k) / 2)%nat; lia|].
      right. intros [j J]. lia. }
    + exact Y.
    + contradiction (Z (B N)).
  - intros Y. specialize (A Y). destruct (Req_EM_T (coefficient n k) 0) as [Z|Z]; [rewrite Z, Rmult_0_r in A; lra | reflexivity].
Qed.

Lemma count_parity (P : nat -> bool) m : (forall k, P k = true <-> exists j, m = (k + 2 * j)%nat) -> count P (S m) = S (m / 2).
Proof.
  revert P. induction m as [m IH] using (well_founded_induction lt_wf). intros P H.
  assert (P m = true) as Pm by (apply H; exists 0%nat; lia).
  destruct m as [|[|m]].
  - simpl. rewrite Pm. reflexivity.
  - assert (P 0%nat = false) as P0.
    { destruct (P 0%nat) eqn:E; [|reflexivity]. apply H in E. destruct E as [j J]. lia. }
    simpl. rewrite P0, Pm. reflexivity.
  - assert (P (S m) = false) as P1.
    { destruct (P (S m)) eqn:E; [|reflexivity]. apply H in E. destruct E as [j J]. lia. }
    change (count P (S (S (S m)))) with ((count P (S m) + (if P (S m) then 1 else 0)) + (if P (S (S m)) then 1 else 0))%nat.
    rewrite P1, Pm. pose (Q := fun k => if Nat.leb k m then P k else false).
    assert (count P (S m) = count Q (S m)) as ->.
    { apply count_ext. intros k Hk. unfold Q. rewrite (proj2 (Nat.leb_le k m)) by lia. reflexivity. }
    rewrite (IH m ltac:(lia) Q).
    + replace (S (S m)) with (m + 1 * 2)%nat by lia. rewrite Nat.div_add by lia. lia.
    + intros k. unfold Q. destruct (Nat.leb_spec k m) as [L|L].
      * rewrite H. split; intros [j J]; [exists (j - 1)%nat; lia | exists (S j); lia].
      * split; [discriminate | intros [j J]; lia].
Qed.

(** literature.tanh-polynomials. For every n and x the n-th derivative of tanh is the sum of c_k tanh(x)^k over k <= n + 1, with
    c_(n+1) = (-1)^n n!, and (n + 1) / 2 + 1 of the c_k are not 0, rounded down: n / 2 + 1 for even n, one more than (n / 2
    rounded down) + 1 for odd n. *)
Theorem tanh_polynomials n :
  (forall x, is_derive_n tanh n x (sum (fun k => coefficient n k * tanh x ^ k) (S (S n)))) /\
  coefficient n (S n) = (-1) ^ n * INR (fact n) /\
  count (fun k => nonzero (coefficient n k)) (S (S n)) = (S n / 2 + 1)%nat.
Proof.
  split; [exact (derivative_of_tanh n)|]. split; [exact (leading n)|].
  rewrite (count_parity _ (S n)); [lia | apply coefficient_nonzero].
Qed.
