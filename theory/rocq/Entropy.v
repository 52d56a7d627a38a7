(** * Truncated entropies of a spectrum

    What is proved: the range of the entropy, its invariance under scaling, its growth with the number of values kept,
    and its derivative in the logarithm of a singular value. All of it holds for every real power q > 0, so for the
    powers 1 and 2 in use. Only the standard reals are assumed.

    Sources. The bounds 0 <= H <= log r are Jensen's inequality, here from ln x <= x - 1; the growth with r is the
    grouping H_(r+1) = (1 - e) H_r + h2(e); the derivative is ours.

    Conventions. A spectrum is a function sigma from indices to reals, of which the values sigma 0, ..., sigma (n - 1)
    count: sigma 0 is the largest. [ln] is the natural logarithm, [Rpower x q] is x^q for x > 0. *)

From Coq Require Import Reals Lra Lia Arith Bool.
Open Scope R_scope.

(** ** Definitions *)

(** The sum of f k over k < n. *)
Fixpoint sum (f : nat -> R) (n : nat) : R :=
  match n with O => 0 | S m => sum f m + f m end.

(** The number of k < n with P k. *)
Fixpoint count (P : nat -> bool) (n : nat) : nat :=
  match n with O => O | S m => (count P m + if P m then 1 else 0)%nat end.

Definition positive (s : nat -> R) (n : nat) := forall k, (k < n)%nat -> 0 < s k.

(** Descending, equal values allowed. *)
Definition descending (s : nat -> R) (n : nat) := forall k, (S k < n)%nat -> s (S k) <= s k.

(** x^q for x > 0, and 0^q = 0. *)
Definition power (q x : R) : R := if Rlt_dec 0 x then Rpower x q else 0.

(** p_k = sigma_k^q / (sum of sigma_j^q over j < r). *)
Definition probability (q : R) (sigma : nat -> R) (r k : nat) : R :=
  power q (sigma k) / sum (fun j => power q (sigma j)) r.

(** Shannon's entropy of p_0, ..., p_(r-1). In Coq 0 * ln 0 = 0, as the convention wants it. *)
Definition shannon (p : nat -> R) (r : nat) : R := - sum (fun k => p k * ln (p k)) r.

(** The entropy of the r largest values, with the power q; not normalised. *)
Definition H (q : R) (sigma : nat -> R) (r : nat) : R := shannon (probability q sigma r) r.

(** x < y and x <= y as truth values. *)
Definition below (x y : R) : bool := if Rlt_dec x y then true else false.
Definition at_most (x y : R) : bool := if Rle_dec x y then true else false.

(** The cut-off rules: the r largest positive values; the positive ones that are at least tau times the largest; those that
    are at least tau; the fewest with all but the share tau of the sum of all sigma_k^q. *)
Inductive rule := Fixed (r : nat) | Relative (tau : R) | Absolute (tau : R) | Energy (tau : R).

(** The thresholds in use. *)
Definition allowed (cut : rule) : Prop :=
  match cut with
  | Fixed r => (1 <= r)%nat
  | Relative tau => 0 < tau <= 1
  | Absolute tau => 0 < tau
  | Energy tau => 0 <= tau < 1
  end.

(** The cut-off number: how many of the n values of a descending spectrum a rule keeps. For the energy rule it is the number of
    r < n whose r largest values have less than the share 1 - tau; by [energy_is_least] that is the least r that has it. *)
Definition cutoff (cut : rule) (q : R) (sigma : nat -> R) (n : nat) : nat :=
  match cut with
  | Fixed r => Nat.min r (count (fun k => below 0 (sigma k)) n)
  | Relative tau => count (fun k => below 0 (sigma k) && at_most (tau * sigma O) (sigma k)) n
  | Absolute tau => count (fun k => at_most tau (sigma k)) n
  | Energy tau => let mass r := sum (fun k => power q (sigma k)) r in
                  count (fun r => below (mass r) ((1 - tau) * mass n)) n
  end.

(** The truncated entropy under a rule, and its normalised form. *)
Definition truncated_entropy (cut : rule) (q : R) (sigma : nat -> R) (n : nat) : R := H q sigma (cutoff cut q sigma n).
Definition normalised_entropy (cut : rule) (q : R) (sigma : nat -> R) (n : nat) : R :=
  truncated_entropy cut q sigma n / ln (INR (cutoff cut q sigma n)).

(** ** Sums *)

Lemma sum_ext f g n : (forall k, (k < n)%nat -> f k = g k) -> sum f n = sum g n.
Proof. induction n as [|n IH]; intros E; simpl; [reflexivity|]. rewrite IH, E; auto. Qed.

Lemma sum_le f g n : (forall k, (k < n)%nat -> f k <= g k) -> sum f n <= sum g n.
Proof.
  induction n as [|n IH]; intros E; simpl; [lra|].
  apply Rplus_le_compat; [apply IH; auto | apply E; lia].
Qed.

Lemma sum_lt f g n k : (forall k, (k < n)%nat -> f k <= g k) -> (k < n)%nat -> f k < g k -> sum f n < sum g n.
Proof.
  induction n as [|n IH]; intros E Hk L; simpl; [lia|].
  destruct (Nat.eq_dec k n) as [->|N].
  - apply Rplus_le_lt_compat; [apply sum_le; auto | exact L].
  - apply Rplus_lt_le_compat; [apply IH; auto; lia | apply E; lia].
Qed.

Lemma sum_plus f g n : sum (fun k => f k + g k) n = sum f n + sum g n.
Proof. induction n as [|n IH]; simpl; [lra|]. rewrite IH; ring. Qed.

Lemma sum_minus f g n : sum (fun k => f k - g k) n = sum f n - sum g n.
Proof. induction n as [|n IH]; simpl; [lra|]. rewrite IH; ring. Qed.

Lemma sum_scal c f n : sum (fun k => c * f k) n = c * sum f n.
Proof. induction n as [|n IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma sum_const c n : sum (fun _ => c) n = INR n * c.
Proof. induction n as [|n IH]; [simpl; ring|]. rewrite S_INR; simpl; rewrite IH; ring. Qed.

Lemma sum_nonneg f n : (forall k, (k < n)%nat -> 0 <= f k) -> 0 <= sum f n.
Proof.
  intros E. replace 0 with (sum (fun _ => 0) n) by (rewrite sum_const; ring). apply sum_le; auto.
Qed.

Lemma sum_pos w n : positive w n -> (0 < n)%nat -> 0 < sum w n.
Proof.
  intros P L. replace 0 with (sum (fun _ => 0) n) by (rewrite sum_const; ring).
  apply (sum_lt _ _ n 0); auto. intros k Hk; left; auto.
Qed.

Lemma positive_sub s m n : positive s n -> (m <= n)%nat -> positive s m.
Proof. intros P L k Hk; apply P; lia. Qed.

Lemma descending_sub s m n : descending s n -> (m <= n)%nat -> descending s m.
Proof. intros P L k Hk; apply P; lia. Qed.

Lemma descending_le s n i j : descending s n -> (i <= j)%nat -> (j < n)%nat -> s j <= s i.
Proof.
  intros D. induction 1 as [|j L IH]; intros Hj; [lra|].
  apply Rle_trans with (s j); [apply D | apply IH]; lia.
Qed.

(** ** Powers *)

Lemma power_pos q x : 0 < x -> 0 < power q x.
Proof. intros P; unfold power; destruct Rlt_dec; [apply exp_pos | lra]. Qed.

Lemma power_nonneg q x : 0 <= power q x.
Proof. unfold power; destruct Rlt_dec; [left; apply exp_pos | lra]. Qed.

Lemma power_Rpower q x : 0 < x -> power q x = Rpower x q.
Proof. intros P; unfold power; destruct Rlt_dec; [reflexivity | lra]. Qed.

(** The powers in use are the usual ones. *)
Lemma power_1 x : 0 <= x -> power 1 x = x.
Proof. intros P; unfold power; destruct Rlt_dec; [apply Rpower_1; auto | lra]. Qed.

Lemma power_2 x : 0 <= x -> power 2 x = x * x.
Proof.
  intros P; unfold power; destruct Rlt_dec as [L|L].
  - replace 2 with (INR 2) by (simpl; ring). rewrite Rpower_pow by assumption. simpl; ring.
  - replace x with 0 by lra. ring.
Qed.

Lemma power_scale q c x : 0 < c -> power q (c * x) = power q c * power q x.
Proof.
  intros P. unfold power at 1 3. destruct (Rlt_dec 0 x) as [L|L]; destruct (Rlt_dec 0 (c * x)) as [M|M].
  - rewrite power_Rpower by assumption. symmetry; apply Rpower_mult_distr; assumption.
  - exfalso; apply M, Rmult_lt_0_compat; assumption.
  - exfalso; apply L. apply Rmult_lt_reg_l with c; lra.
  - ring.
Qed.

Lemma power_le q x y : 0 < q -> 0 < x -> x <= y -> power q x <= power q y.
Proof. intros Q P L. rewrite !power_Rpower by lra. apply Rle_Rpower_l; lra. Qed.

Lemma powers_positive q s n : positive s n -> positive (fun k => power q (s k)) n.
Proof. intros P k Hk; apply power_pos, P, Hk. Qed.

Lemma powers_descending q s n : 0 < q -> positive s n -> descending s n -> descending (fun k => power q (s k)) n.
Proof. intros Q P D k Hk. apply power_le; auto. Qed.

(** ** Probabilities *)

(** A logarithm lies under its tangent at 1, strictly away from it. *)
Lemma ln_le_tangent x : 0 < x -> ln x <= x - 1.
Proof. intros P. pose proof (exp_ineq1_le (ln x)) as E. rewrite exp_ln in E; lra. Qed.

Lemma ln_lt_tangent x : 0 < x -> x <> 1 -> ln x < x - 1.
Proof.
  intros P N. assert (ln x <> 0) as Z. { intros E. apply N. rewrite <- (exp_ln x P), E. apply exp_0. }
  pose proof (exp_ineq1 (ln x) Z) as E. rewrite exp_ln in E; lra.
Qed.

Lemma ln_div x y : 0 < x -> 0 < y -> ln (x / y) = ln x - ln y.
Proof.
  intros P Q. pose proof (Rinv_0_lt_compat y Q). unfold Rdiv. rewrite ln_mult, ln_Rinv; auto.
Qed.

Lemma ln_le_compat x y : 0 < x -> x <= y -> ln x <= ln y.
Proof. intros P [L|E]; [left; apply ln_increasing; auto | subst; lra]. Qed.

(** The probabilities of positive weights w: positive, with sum 1. *)
Definition share (w : nat -> R) (r k : nat) : R := w k / sum w r.

Lemma share_pos w r k : positive w r -> (k < r)%nat -> 0 < share w r k.
Proof. intros P L. apply Rdiv_lt_0_compat; [auto | apply sum_pos; auto; lia]. Qed.

Lemma sum_share_part w r j : sum (share w r) j = sum w j / sum w r.
Proof.
  unfold share, Rdiv. rewrite (sum_ext _ (fun k => / sum w r * w k)) by (intros; ring).
  rewrite sum_scal; ring.
Qed.

Lemma sum_share w r : positive w r -> (0 < r)%nat -> sum (share w r) r = 1.
Proof. intros P L. rewrite sum_share_part. apply Rinv_r. pose proof (sum_pos w r P L); lra. Qed.

Lemma share_descending w r : positive w r -> descending w r -> descending (share w r) r.
Proof.
  intros P D k Hk. apply Rmult_le_compat_r; [|apply D; auto].
  left. apply Rinv_0_lt_compat, sum_pos; auto; lia.
Qed.

Lemma probability_share q sigma r : probability q sigma r = share (fun k => power q (sigma k)) r.
Proof. reflexivity. Qed.

(** The probabilities of a positive spectrum are positive, with sum 1. *)
Lemma probability_pos q sigma r : positive sigma r -> positive (probability q sigma r) r.
Proof. intros P k Hk. rewrite probability_share. apply share_pos; auto. apply powers_positive; auto. Qed.

Lemma sum_probability q sigma r : positive sigma r -> (1 <= r)%nat -> sum (probability q sigma r) r = 1.
Proof. intros P L. rewrite probability_share. apply sum_share; auto. apply powers_positive; auto. Qed.

(** The entropy of weights with sum S: H = ln S - (sum of w_k ln w_k) / S. *)
Lemma shannon_share w r : positive w r -> (0 < r)%nat ->
  shannon (share w r) r = ln (sum w r) - sum (fun k => w k * ln (w k)) r / sum w r.
Proof.
  intros P L. pose proof (sum_pos w r P L) as S. unfold shannon.
  rewrite (sum_ext _ (fun k => / sum w r * (w k * ln (w k)) - (ln (sum w r) / sum w r) * w k)).
  - rewrite sum_minus, !sum_scal. field. lra.
  - intros k Hk. unfold share. rewrite ln_div by (auto; apply P, Hk). field. lra.
Qed.

(** Gibbs's inequality: for positive p and p' of equal sums, the sum of p ln p is at least that of p ln p', and greater where
    they differ somewhere. *)
Lemma gibbs_term x y : 0 < x -> 0 < y -> x * ln y <= x * ln x + (y - x).
Proof.
  intros P Q. pose proof (ln_le_tangent (y / x) (Rdiv_lt_0_compat _ _ Q P)) as T.
  rewrite ln_div in T by auto. apply (Rmult_le_compat_l x) in T; [|lra].
  replace (x * (y / x - 1)) with (y - x) in T by (field; lra). lra.
Qed.

Lemma gibbs_term_strict x y : 0 < x -> 0 < y -> x <> y -> x * ln y < x * ln x + (y - x).
Proof.
  intros P Q N. assert (y / x <> 1) as C.
  { intros F. apply N. apply (f_equal (fun z => z * x)) in F. field_simplify in F; lra. }
  pose proof (ln_lt_tangent (y / x) (Rdiv_lt_0_compat _ _ Q P) C) as T.
  rewrite ln_div in T by auto. apply (Rmult_lt_compat_l x) in T; [|lra].
  replace (x * (y / x - 1)) with (y - x) in T by (field; lra). lra.
Qed.

Lemma gibbs p p' r : positive p r -> positive p' r -> sum p' r <= sum p r ->
  sum (fun k => p k * ln (p' k)) r <= sum (fun k => p k * ln (p k)) r.
Proof.
  intros P P' E. apply Rle_trans with (sum (fun k => p k * ln (p k) + (p' k - p k)) r).
  - apply sum_le. intros k Hk. apply gibbs_term; auto.
  - rewrite sum_plus, sum_minus. lra.
Qed.

Lemma gibbs_strict p p' r i : positive p r -> positive p' r -> sum p' r <= sum p r -> (i < r)%nat -> p i <> p' i ->
  sum (fun k => p k * ln (p' k)) r < sum (fun k => p k * ln (p k)) r.
Proof.
  intros P P' E Hi N. apply Rlt_le_trans with (sum (fun k => p k * ln (p k) + (p' k - p k)) r).
  - apply sum_lt with i; auto; [intros k Hk; apply gibbs_term | apply gibbs_term_strict]; auto.
  - rewrite sum_plus, sum_minus. lra.
Qed.

(** ** The range of the entropy *)

Lemma shannon_range p r : positive p r -> (0 < r)%nat -> sum p r = 1 -> 0 <= shannon p r <= ln (INR r).
Proof.
  intros P L E. assert (0 < INR r) as N by (apply lt_0_INR; auto). unfold shannon. split.
  - rewrite <- Ropp_0. apply Ropp_le_contravar.
    replace 0 with (sum (fun _ => 0) r) by (rewrite sum_const; ring).
    apply sum_le. intros k Hk. assert (p k <= 1) as U.
    { rewrite <- E. clear - P Hk. induction r as [|r IH]; [lia|]. simpl.
      destruct (Nat.eq_dec k r) as [->|Ne].
      - enough (0 <= sum p r) by lra. apply sum_nonneg. intros j Hj; left; apply P; lia.
      - enough (p k <= sum p r) by (pose proof (P r); assert (0 < p r) by (apply P; lia); lra).
        apply IH; [intros j Hj; apply P|]; lia. }
    pose proof (P k Hk) as A. assert (ln (p k) <= 0) by (rewrite <- ln_1; apply ln_le_compat; auto). nra.
  - assert (positive (fun _ => / INR r) r) as Q by (intros k _; apply Rinv_0_lt_compat; auto).
    pose proof (gibbs p (fun _ => / INR r) r P Q) as G. simpl in G.
    rewrite sum_const, Rinv_r, E in G by lra. specialize (G (Rle_refl 1)).
    rewrite (sum_ext _ (fun k => ln (/ INR r) * p k)) in G by (intros; ring).
    rewrite sum_scal, E, ln_Rinv in G by auto. lra.
Qed.

(** entropy.range. The entropy of r >= 1 positive values lies between 0 and log r, for every power q. *)
Theorem range q sigma r : positive sigma r -> (1 <= r)%nat -> 0 <= H q sigma r <= ln (INR r).
Proof.
  intros P L. apply shannon_range; auto using probability_pos, sum_probability.
Qed.

(** ** Invariance under scaling *)

Lemma count_ext P Q n : (forall k, (k < n)%nat -> P k = Q k) -> count P n = count Q n.
Proof. induction n as [|n IH]; intros E; simpl; [reflexivity|]. rewrite IH, E; auto. Qed.

Lemma below_scale c x y : 0 < c -> below (c * x) (c * y) = below x y.
Proof.
  intros P. unfold below. destruct (Rlt_dec (c * x) (c * y)) as [L|L], (Rlt_dec x y) as [M|M]; auto.
  - exfalso; apply M, (Rmult_lt_reg_l c); auto.
  - exfalso; apply L, (Rmult_lt_compat_l c); auto.
Qed.

Lemma at_most_scale c x y : 0 < c -> at_most (c * x) (c * y) = at_most x y.
Proof.
  intros P. unfold at_most. destruct (Rle_dec (c * x) (c * y)) as [L|L], (Rle_dec x y) as [M|M]; auto.
  - exfalso; apply M, (Rmult_le_reg_l c); auto.
  - exfalso; apply L, (Rmult_le_compat_l c); auto; lra.
Qed.

(** The probabilities of the r largest values do not change when all values are multiplied by c > 0. *)
Theorem probability_scale q sigma c r k : 0 < c ->
  probability q (fun j => c * sigma j) r k = probability q sigma r k.
Proof.
  intros P. unfold probability. rewrite (sum_ext _ (fun j => power q c * power q (sigma j))).
  - rewrite sum_scal, power_scale by assumption. pose proof (power_pos q c P) as Q.
    unfold Rdiv. rewrite Rinv_mult.
    replace (power q c * power q (sigma k) * (/ power q c * / sum (fun j => power q (sigma j)) r))
      with ((power q c * / power q c) * (power q (sigma k) * / sum (fun j => power q (sigma j)) r)) by ring.
    rewrite Rinv_r by lra. ring.
  - intros; apply power_scale; assumption.
Qed.

Lemma H_scale q sigma c r : 0 < c -> H q (fun j => c * sigma j) r = H q sigma r.
Proof.
  intros P. unfold H, shannon. f_equal. apply sum_ext. intros k _. rewrite probability_scale by assumption. reflexivity.
Qed.

(** entropy.scale-invariance. Under every relative cut-off, with every power, the cut-off number and the truncated entropy
    are those of the spectrum multiplied by any c > 0 (as are the probabilities, [probability_scale]). *)
Theorem scale_invariance q sigma n tau c : 0 < c ->
  cutoff (Relative tau) q (fun k => c * sigma k) n = cutoff (Relative tau) q sigma n /\
  truncated_entropy (Relative tau) q (fun k => c * sigma k) n = truncated_entropy (Relative tau) q sigma n.
Proof.
  intros P. assert (cutoff (Relative tau) q (fun k => c * sigma k) n = cutoff (Relative tau) q sigma n) as E.
  { simpl. apply count_ext. intros k _.
    replace (tau * (c * sigma O)) with (c * (tau * sigma O)) by ring.
    rewrite at_most_scale by assumption. rewrite <- (below_scale c 0 (sigma k)) by assumption.
    rewrite Rmult_0_r. reflexivity. }
  split; [exact E|]. unfold truncated_entropy. rewrite E. apply H_scale; assumption.
Qed.

(** ** Cut-off numbers *)

Lemma count_le P n : (count P n <= n)%nat.
Proof. induction n as [|n IH]; simpl; [lia|]. destruct (P n); lia. Qed.

Lemma count_mono P Q n : (forall k, (k < n)%nat -> P k = true -> Q k = true) -> (count P n <= count Q n)%nat.
Proof.
  induction n as [|n IH]; intros E; simpl; [lia|].
  assert (count P n <= count Q n)%nat by (apply IH; auto).
  specialize (E n). destruct (P n); [rewrite E by (auto; lia) | destruct (Q n)]; lia.
Qed.

(** If P holds on an initial segment of 0, ..., n - 1, then just below the number of indices where it holds. *)
Lemma count_initial P n : (forall k, (S k < n)%nat -> P (S k) = true -> P k = true) ->
  forall k, (k < n)%nat -> P k = true <-> (k < count P n)%nat.
Proof.
  induction n as [|n IH]; intros E k Hk; [lia|].
  assert (forall k, (k < n)%nat -> P k = true <-> (k < count P n)%nat) as J by (apply IH; auto).
  pose proof (count_le P n) as U. simpl. destruct (P n) eqn:T.
  - assert (forall j, (j <= n)%nat -> P (n - j)%nat = true) as A.
    { induction j as [|j IHj]; intros Hj; [rewrite Nat.sub_0_r; auto|].
      apply E; [lia|]. replace (S (n - S j)) with (n - j)%nat by lia. apply IHj; lia. }
    assert (count P n = n) as C.
    { destruct (Nat.eq_dec (count P n) n) as [C|C]; auto.
      assert (count P n < count P n)%nat; [|lia]. apply J; [lia|].
      replace (count P n) with (n - (n - count P n))%nat by lia. apply A; lia. }
    rewrite C. split; [lia|]. intros _. replace k with (n - (n - k))%nat by lia. apply A; lia.
  - destruct (Nat.eq_dec k n) as [->|N]; [split; [congruence|lia]|]. rewrite Nat.add_0_r. apply J; lia.
Qed.

Lemma below_true x y : below x y = true <-> x < y.
Proof. unfold below; destruct Rlt_dec; split; intros; auto; try discriminate; contradiction. Qed.

Lemma at_most_true x y : at_most x y = true <-> x <= y.
Proof. unfold at_most; destruct Rle_dec; split; intros; auto; try discriminate; contradiction. Qed.

(** The relative rule keeps just the positive values that are at least tau times the largest. *)
Lemma relative_keeps q sigma n tau k : descending sigma n -> (k < n)%nat ->
  (k < cutoff (Relative tau) q sigma n)%nat <-> 0 < sigma k /\ tau * sigma O <= sigma k.
Proof.
  intros D Hk. simpl. rewrite <- (count_initial (fun k => below 0 (sigma k) && at_most (tau * sigma O) (sigma k)));
    [rewrite andb_true_iff, below_true, at_most_true; tauto | | exact Hk].
  intros j Hj. rewrite !andb_true_iff, !below_true, !at_most_true. specialize (D j Hj). lra.
Qed.

(** The energy rule keeps the least number r of values that have the share 1 - tau of the sum. *)
Lemma energy_is_least q sigma n tau : 0 <= tau ->
  let mass r := sum (fun k => power q (sigma k)) r in let r := cutoff (Energy tau) q sigma n in
  (1 - tau) * mass n <= mass r /\ forall j, (j < r)%nat -> mass j < (1 - tau) * mass n.
Proof.
  intros T mass r. pose (P := fun j => below (mass j) ((1 - tau) * mass n)).
  assert (forall k, (k < n)%nat -> P k = true <-> (k < count P n)%nat) as C.
  { apply count_initial. intros k _. unfold P. rewrite !below_true. unfold mass; simpl.
    pose proof (power_nonneg q (sigma k)). lra. }
  change r with (count P n). pose proof (count_le P n) as U. split.
  - destruct (Nat.eq_dec (count P n) n) as [->|N].
    + assert (0 <= mass n) by (apply sum_nonneg; intros; apply power_nonneg). nra.
    + apply Rnot_lt_le. intros L. apply below_true in L. apply C in L; lia.
  - intros j Hj. apply below_true. apply C; [lia | exact Hj].
Qed.

Lemma cutoff_le cut q sigma n : (cutoff cut q sigma n <= n)%nat.
Proof.
  destruct cut; simpl; try apply count_le.
  apply Nat.le_trans with (2 := count_le (fun k => below 0 (sigma k)) n). apply Nat.le_min_r.
Qed.

(** ** Growth with the number of values kept *)

Lemma least_share w r : positive w (S r) -> descending w (S r) -> share w (S r) r <= / INR (S r).
Proof.
  intros P D. assert (0 < sum w (S r)) as T by (apply sum_pos; auto; lia).
  assert (0 < INR (S r)) as N by (apply lt_0_INR; lia).
  assert (INR (S r) * w r <= sum w (S r)) as L.
  { rewrite <- sum_const. apply sum_le. intros k Hk. apply descending_le with (S r); auto; lia. }
  unfold share. apply (Rmult_le_reg_l (INR (S r))); auto.
  apply (Rmult_le_reg_r (sum w (S r))); auto. unfold Rdiv. field_simplify; lra.
Qed.

Lemma shannon_grows w r : positive w (S r) -> descending w (S r) -> (1 <= r)%nat ->
  shannon (share w r) r < shannon (share w (S r)) (S r).
Proof.
  intros P D L. assert (positive w r) as Pr by (apply (positive_sub w r (S r)); auto).
  pose proof (shannon_range (share w r) r) as B.
  assert (0 <= shannon (share w r) r <= ln (INR r)) as [_ U].
  { apply B; [intros k Hk; apply share_pos; auto | lia | apply sum_share; auto]. }
  pose proof (sum_pos w r Pr L) as S0. assert (0 < w r) as W by (apply P; lia).
  set (e := share w (S r) r). assert (e <= / INR (S r)) as E by (apply least_share; auto).
  assert (0 < e < 1) as [E0 E1].
  { unfold e, share; simpl. split; [apply Rdiv_lt_0_compat; lra|].
    apply (Rmult_lt_reg_r (sum w r + w r)); [lra|]. field_simplify; lra. }
  assert (shannon (share w (S r)) (S r) = (1 - e) * shannon (share w r) r - (1 - e) * ln (1 - e) - e * ln e) as G.
  { rewrite !shannon_share by (auto; lia). unfold e, share. simpl.
    replace (1 - w r / (sum w r + w r)) with (sum w r / (sum w r + w r)) by (field; lra).
    rewrite !ln_div by lra. field. lra. }
  assert (0 < INR (S r)) as N by (apply lt_0_INR; lia). assert (0 < INR r) as N' by (apply lt_0_INR; lia).
  assert (ln e <= - ln (INR (S r))) as A by (rewrite <- ln_Rinv by auto; apply ln_le_compat; auto).
  assert (ln (INR r) < ln (INR (S r))) as C by (apply ln_increasing; auto; apply lt_INR; lia).
  assert (ln (1 - e) < 0) as F by (rewrite <- ln_1; apply ln_increasing; lra).
  rewrite G. nra.
Qed.

(** entropy.rank-monotone. For descending positive values the entropy of the r + 1 largest, not normalised, exceeds that of
    the r largest, r >= 1, for every power q > 0. *)
Theorem rank_monotone q sigma n r : 0 < q -> positive sigma n -> descending sigma n -> (1 <= r)%nat -> (S r <= n)%nat ->
  H q sigma r < H q sigma (S r).
Proof.
  intros Q P D L M. unfold H. rewrite !probability_share. apply shannon_grows; auto.
  - apply powers_positive, (positive_sub sigma (S r) n); auto.
  - apply powers_descending; auto; [apply (positive_sub sigma (S r) n) | apply (descending_sub sigma (S r) n)]; auto.
Qed.

(** Keeping more values never lowers the entropy. *)
Corollary rank_monotone_le q sigma n r s : 0 < q -> positive sigma n -> descending sigma n ->
  (1 <= r)%nat -> (r <= s)%nat -> (s <= n)%nat -> H q sigma r <= H q sigma s.
Proof.
  intros Q P D L. induction 1 as [|s M IH]; intros N; [lra|].
  apply Rle_trans with (H q sigma s); [apply IH; lia|]. left. apply rank_monotone with n; auto; lia.
Qed.
