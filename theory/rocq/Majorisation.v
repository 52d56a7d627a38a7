(** * Majorisation of spectra and the order of their entropies

    What is proved: where the ratios sigma'_k / sigma_k of two descending positive spectra do not fall with k, the
    probabilities of the first majorise those of the second, under every power q > 0 and for every number of values kept;
    the entropy of the second is then at least that of the first, and greater unless the ratios are constant; and the order
    holds under every fixed, relative and energy cut-off.

    Source: A. W. Marshall, I. Olkin, B. C. Arnold, Inequalities: Theory of Majorization and Its Applications (2nd ed. 2011),
    propositions 5.B.1 (ratios) and 3.D.1 (entropy). The part on cut-off rules is ours. *)

From Coq Require Import Reals Lra Lia Arith Bool.
From adfd Require Import Entropy.
Open Scope R_scope.

(** x majorises y, for two descending vectors of r entries: equal sums, and no sum of the j largest entries of x is smaller
    than that of y. *)
Definition majorises (x y : nat -> R) (r : nat) : Prop :=
  descending x r /\ descending y r /\ sum x r = sum y r /\ forall j, (j <= r)%nat -> sum y j <= sum x j.

(** s'_k / s_k does not fall with k < r. *)
Definition ratio_rises (s s' : nat -> R) (r : nat) : Prop :=
  forall k, (S k < r)%nat -> s' k / s k <= s' (S k) / s (S k).

(** It does not rise. *)
Definition ratio_falls (s s' : nat -> R) (r : nat) : Prop :=
  forall k, (S k < r)%nat -> s' (S k) / s (S k) <= s' k / s k.

Definition ratio_constant (s s' : nat -> R) (r : nat) : Prop :=
  forall k, (S k < r)%nat -> s' (S k) / s (S k) = s' k / s k.

(** ** Monotone ratios majorise *)

Lemma power_div q x y : 0 < x -> 0 < y -> power q x / power q y = power q (x / y).
Proof.
  intros P Q. assert (0 < x / y) as D by (apply Rdiv_lt_0_compat; auto).
  replace x with (x / y * y) at 1 by (field; lra). rewrite power_scale by assumption.
  field. pose proof (power_pos q y Q); lra.
Qed.

Lemma powers_ratio_rises q s s' r : 0 < q -> positive s r -> positive s' r -> ratio_rises s s' r ->
  ratio_rises (fun k => power q (s k)) (fun k => power q (s' k)) r.
Proof.
  intros Q P P' M k Hk. assert (0 < s k /\ 0 < s' k /\ 0 < s (S k) /\ 0 < s' (S k)) as [A [B [C D]]].
  { repeat split; (apply P || apply P'); lia. }
  rewrite !power_div by assumption. apply power_le; auto. apply Rdiv_lt_0_compat; auto.
Qed.

(** The partial sums: the sum of the first j of w', times s'_j's denominator, against that of w. *)
Lemma ratio_head w w' r j : positive w r -> ratio_rises w w' r -> (j < r)%nat -> sum w' j <= w' j / w j * sum w j.
Proof.
  intros P M. induction j as [|j IH]; intros Hj; simpl; [lra|].
  assert (0 < w j) as A by (apply P; lia). assert (0 <= sum w j) as B.
  { apply sum_nonneg. intros k Hk; left; apply P; lia. }
  pose proof (M j Hj) as L. specialize (IH ltac:(lia)).
  assert (w' j = w' j / w j * w j) as E by (field; lra).
  apply Rle_trans with (w' j / w j * (sum w j + w j)); [lra|].
  apply Rmult_le_compat_r; lra.
Qed.

(** The sums of the j first are ordered: W'_j W_r <= W_j W'_r. *)
Lemma ratio_partial w w' r : positive w r -> ratio_rises w w' r ->
  forall i j, (i <= j)%nat -> (j <= r)%nat -> sum w' i * sum w j <= sum w i * sum w' j.
Proof.
  intros P M i. assert (forall j, (j < r)%nat -> sum w' j * w j <= sum w j * w' j) as Head.
  { intros j Hj. pose proof (ratio_head w w' r j P M Hj) as L. assert (0 < w j) as A by (apply P; lia).
    apply (Rmult_le_compat_r (w j)) in L; [|lra]. replace (w' j / w j * sum w j * w j) with (sum w j * w' j) in L
      by (field; lra). exact L. }
  induction 1 as [|j L IH]; intros Hj; [lra|]. specialize (IH ltac:(lia)). specialize (Head j ltac:(lia)).
  simpl. destruct (Nat.eq_dec j 0) as [->|N].
  - assert (i = 0)%nat as -> by lia. simpl. lra.
  - assert (0 < sum w j) as A by (apply sum_pos; [apply (positive_sub w j r)|]; auto; lia).
    assert (0 <= sum w i) as B by (apply sum_nonneg; intros k Hk; left; apply P; lia).
    assert (0 < w j) as C by (apply P; lia).
    (* W'_i w_j W_j <= W_i W'_j w_j <= W_i W_j w'_j *)
    assert (sum w' i * w j <= sum w i * w' j); [|lra].
    apply (Rmult_le_reg_r (sum w j)); auto.
    apply Rle_trans with (sum w i * sum w' j * w j); [nra|].
    apply Rle_trans with (sum w i * (sum w j * w' j)); [|nra].
    rewrite Rmult_assoc. apply Rmult_le_compat_l; auto.
Qed.

Lemma shares_majorise w w' r : positive w r -> positive w' r -> descending w r -> descending w' r ->
  ratio_rises w w' r -> (0 < r)%nat -> majorises (share w r) (share w' r) r.
Proof.
  intros P P' D D' M L. pose proof (sum_pos w r P L) as A. pose proof (sum_pos w' r P' L) as B.
  repeat split; try apply share_descending; auto.
  - rewrite !sum_share; auto.
  - intros j Hj. rewrite !sum_share_part. pose proof (ratio_partial w w' r P M j r Hj (le_n r)) as T.
    apply (Rmult_le_reg_r (sum w r * sum w' r)); [apply Rmult_lt_0_compat; auto|].
    replace (sum w' j / sum w' r * (sum w r * sum w' r)) with (sum w' j * sum w r) by (field; lra).
    replace (sum w j / sum w r * (sum w r * sum w' r)) with (sum w j * sum w' r) by (field; lra). exact T.
Qed.

(** entropy.majorisation-order. Let both spectra be positive and descending and let sigma'_k / sigma_k not fall with k < r. Then
    p majorises p', for every power q > 0. *)
Theorem majorisation_order q sigma sigma' r : 0 < q -> (1 <= r)%nat ->
  positive sigma r -> positive sigma' r -> descending sigma r -> descending sigma' r -> ratio_rises sigma sigma' r ->
  majorises (probability q sigma r) (probability q sigma' r) r.
Proof.
  intros Q L P P' D D' M. rewrite !probability_share.
  apply shares_majorise; auto using powers_positive, powers_descending, powers_ratio_rises.
Qed.

(** ** Majorisation orders the entropies *)

(** Abel's summation: where the partial sums of d are at most 0 and their total is 0, and a does not fall, the sum of a d is at
    least 0. *)
Lemma abel a d r : (forall k, (S k < r)%nat -> a k <= a (S k)) -> (forall j, (j <= r)%nat -> sum d j <= 0) ->
  sum d r = 0 -> 0 <= sum (fun k => a k * d k) r.
Proof.
  intros A D. destruct r as [|r]; intros T; simpl; [lra|].
  assert (forall j, (j <= r)%nat -> a j * sum d j <= sum (fun k => a k * d k) j) as G.
  { induction j as [|j IH]; intros Hj; simpl; [lra|].
    specialize (IH ltac:(lia)). pose proof (A j ltac:(lia)) as U. pose proof (D (S j) ltac:(lia)) as V. simpl in V. nra. }
  specialize (G r (le_n r)). simpl in T. nra.
Qed.

(** Schur concavity of Shannon's entropy, with the strict case. *)
Lemma majorised_cross p p' r : positive p' r -> majorises p p' r ->
  sum (fun k => p' k * ln (p' k)) r <= sum (fun k => p k * ln (p' k)) r.
Proof.
  intros P' [D [D' [T M]]].
  assert (0 <= sum (fun k => - ln (p' k) * (p' k - p k)) r) as B.
  { apply abel.
    - intros k Hk. apply Ropp_le_contravar, ln_le_compat; [apply P'; lia | auto].
    - intros j Hj. rewrite sum_minus. specialize (M j Hj). lra.
    - rewrite sum_minus. lra. }
  rewrite (sum_ext _ (fun k => p k * ln (p' k) - p' k * ln (p' k))) in B by (intros; ring).
  rewrite sum_minus in B. lra.
Qed.

Lemma majorised_entropy p p' r : positive p r -> positive p' r -> majorises p p' r -> shannon p r <= shannon p' r.
Proof.
  intros P P' M. pose proof (majorised_cross p p' r P' M) as B. destruct M as [_ [_ [T _]]].
  pose proof (gibbs p p' r P P' ltac:(lra)) as G. unfold shannon. lra.
Qed.

Lemma majorised_entropy_strict p p' r i : positive p r -> positive p' r -> majorises p p' r -> (i < r)%nat ->
  p i <> p' i -> shannon p r < shannon p' r.
Proof.
  intros P P' M Hi N. pose proof (majorised_cross p p' r P' M) as B. destruct M as [_ [_ [T _]]].
  pose proof (gibbs_strict p p' r i P P' ltac:(lra) Hi N) as G. unfold shannon. lra.
Qed.

(** Ratios that do not fall order the entropies, weakly. *)
Lemma ratio_order q sigma sigma' r : 0 < q -> (1 <= r)%nat -> positive sigma r -> positive sigma' r ->
  descending sigma r -> descending sigma' r -> ratio_rises sigma sigma' r -> H q sigma r <= H q sigma' r.
Proof.
  intros Q L P P' D D' M. apply majorised_entropy; auto using probability_pos, majorisation_order.
Qed.

Lemma power_inj q x y : 0 < q -> 0 < x -> 0 < y -> power q x = power q y -> x = y.
Proof.
  intros Q P P' E. destruct (Rtotal_order x y) as [L|[L|L]]; auto; exfalso;
    rewrite !power_Rpower in E by assumption.
  - pose proof (Rlt_Rpower_l x y q Q (conj P L)); lra.
  - pose proof (Rlt_Rpower_l y x q Q (conj P' L)); lra.
Qed.

(** Equal probabilities mean proportional values. *)
Lemma equal_probabilities q s s' r : 0 < q -> positive s r -> positive s' r ->
  (forall i, (i < r)%nat -> probability q s r i = probability q s' r i) -> ratio_constant s s' r.
Proof.
  intros Q P P' E k Hk.
  assert (0 < s k /\ 0 < s' k /\ 0 < s (S k) /\ 0 < s' (S k)) as [A [B [C D]]].
  { repeat split; (apply P || apply P'); lia. }
  apply (power_inj q); auto; try (apply Rdiv_lt_0_compat; auto).
  rewrite <- !power_div by assumption.
  assert (0 < sum (fun j => power q (s j)) r) as S1 by (apply sum_pos; [apply powers_positive|]; auto; lia).
  assert (0 < sum (fun j => power q (s' j)) r) as S2 by (apply sum_pos; [apply powers_positive|]; auto; lia).
  assert (forall i, (i < r)%nat -> 0 < power q (s i) ->
    power q (s' i) / power q (s i) = sum (fun j => power q (s' j)) r / sum (fun j => power q (s j)) r) as G.
  { intros i Hi Pi. specialize (E i Hi). unfold probability in E.
    set (S := sum (fun j => power q (s j)) r) in *. set (S' := sum (fun j => power q (s' j)) r) in *.
    apply (f_equal (fun x => x * S * S')) in E. field_simplify in E; try lra.
    apply (Rmult_eq_reg_r (power q (s i) * S)); [|apply Rmult_integral_contrapositive_currified; lra].
    field_simplify; lra. }
  rewrite !G; auto; try lia; apply power_pos; auto.
Qed.

(** entropy.ratio-majorisation. Let sigma_0 >= ... >= sigma_(r-1) > 0 and sigma'_0 >= ... >= sigma'_(r-1) > 0, q > 0. If
    sigma'_k / sigma_k does not fall with k and is not constant, H' > H; if it does not rise and is not constant, H' < H. *)
Theorem ratio_majorisation q sigma sigma' r : 0 < q ->
  positive sigma r -> positive sigma' r -> descending sigma r -> descending sigma' r -> ~ ratio_constant sigma sigma' r ->
  (ratio_rises sigma sigma' r -> H q sigma r < H q sigma' r) /\
  (ratio_falls sigma sigma' r -> H q sigma' r < H q sigma r).
Proof.
  intros Q P P' D D' N.
  assert (1 <= r)%nat as L.
  { destruct r; [|lia]. exfalso; apply N. intros k Hk; lia. }
  assert (exists i, (i < r)%nat /\ probability q sigma r i <> probability q sigma' r i) as [i [Hi Ni]].
  { assert (forall m, (m <= r)%nat -> (exists i, (i < m)%nat /\ probability q sigma r i <> probability q sigma' r i) \/
      forall i, (i < m)%nat -> probability q sigma r i = probability q sigma' r i) as W.
    { induction m as [|m IH]; intros Hm; [right; intros; lia|].
      destruct (IH ltac:(lia)) as [[i [Hi Ei]]|Eq]; [left; exists i; split; auto; lia|].
      destruct (Req_dec (probability q sigma r m) (probability q sigma' r m)) as [E|E];
        [|left; exists m; split; auto; lia].
      right. intros i Hi. destruct (Nat.eq_dec i m) as [->|]; [exact E | apply Eq; lia]. }
    destruct (W r (le_n r)) as [X|Eq]; [exact X|]. exfalso. apply N. apply (equal_probabilities q); auto. }
  split; intros M.
  - apply majorised_entropy_strict with i; auto using probability_pos, majorisation_order.
  - apply majorised_entropy_strict with i; auto using probability_pos. apply majorisation_order; auto.
    intros k Hk. specialize (M k Hk).
    assert (0 < sigma k /\ 0 < sigma' k /\ 0 < sigma (S k) /\ 0 < sigma' (S k)) as [A [B [C E]]].
    { repeat split; (apply P || apply P'); lia. }
    replace (sigma k / sigma' k) with (/ (sigma' k / sigma k)) by (field; lra).
    replace (sigma (S k) / sigma' (S k)) with (/ (sigma' (S k) / sigma (S k))) by (field; lra).
    apply Rinv_le_contravar; [apply Rdiv_lt_0_compat; auto | exact M].
Qed.

(** ** The order under cut-off rules *)

(** The rules that do not see a common factor of the spectrum: all but the absolute one. *)
Definition scale_free (cut : rule) : Prop := match cut with Absolute _ => False | _ => True end.

Lemma count_positive sigma n : positive sigma n -> count (fun k => below 0 (sigma k)) n = n.
Proof.
  intros P. enough (forall m, (m <= n)%nat -> count (fun k => below 0 (sigma k)) m = m) by auto.
  induction m as [|m IH]; intros Hm; simpl; [reflexivity|].
  rewrite (proj2 (below_true 0 (sigma m))) by (apply P; lia). rewrite IH; lia.
Qed.

Lemma ratio_from_head s s' n k : positive s n -> ratio_rises s s' n -> (k < n)%nat -> s' O / s O <= s' k / s k.
Proof.
  intros P M. induction k as [|k IH]; intros Hk; [lra|].
  apply Rle_trans with (s' k / s k); [apply IH; lia | apply M; lia].
Qed.

(** An allowed rule keeps at least one value of a positive spectrum. *)
Lemma cutoff_at_least_one cut q sigma n : positive sigma n -> (1 <= n)%nat -> allowed cut -> scale_free cut ->
  (1 <= cutoff cut q sigma n)%nat.
Proof.
  intros P L A F. assert (0 < sigma O) as P0 by (apply P; lia). destruct cut as [r|tau|tau|tau]; simpl in *.
  - rewrite count_positive by assumption. lia.
  - destruct n as [|n]; [lia|]. clear P L. induction n as [|n IH].
    + simpl. rewrite (proj2 (below_true _ _)) by lra. rewrite (proj2 (at_most_true _ _)) by nra. simpl; lia.
    + remember (S n) as m. simpl. lia.
  - contradiction.
  - set (mass := fun r => sum (fun k => power q (sigma k)) r).
    assert (0 < mass n) as M by (apply sum_pos; [apply powers_positive|]; auto; lia).
    enough (forall m, (1 <= m)%nat -> (1 <= count (fun r => below (mass r) ((1 - tau) * mass n)) m)%nat) by auto.
    induction m as [|m IH]; intros Hm; [lia|]. destruct m as [|m]; [|remember (S m) as l; simpl; lia].
    simpl. rewrite (proj2 (below_true _ _)); [lia|]. unfold mass at 1; simpl. apply Rmult_lt_0_compat; lra.
Qed.

(** Where the ratios do not fall, the second spectrum keeps at least as many values. *)
Lemma cutoff_order cut q s s' n : 0 < q -> positive s n -> positive s' n -> descending s n -> descending s' n ->
  ratio_rises s s' n -> allowed cut -> scale_free cut -> (cutoff cut q s n <= cutoff cut q s' n)%nat.
Proof.
  intros Q P P' D D' M A F. destruct cut as [r|tau|tau|tau]; simpl in *.
  - rewrite !count_positive by assumption. lia.
  - apply count_mono. intros k Hk. rewrite !andb_true_iff, !below_true, !at_most_true. intros [B C].
    pose proof (P' k Hk) as B'. split; [exact B'|]. assert (0 < s O) as P0 by (apply P; lia).
    pose proof (ratio_from_head s s' n k P M Hk) as R.
    apply (Rmult_le_compat_r (s O * s k)) in R; [|left; apply Rmult_lt_0_compat; auto].
    replace (s' O / s O * (s O * s k)) with (s' O * s k) in R by (field; lra).
    replace (s' k / s k * (s O * s k)) with (s' k * s O) in R by (field; lra).
    assert (0 < s' O) by (apply P'; lia).
    apply (Rmult_le_reg_r (s O)); auto. nra.
  - contradiction.
  - apply count_mono. intros k Hk. rewrite !below_true. intros B.
    set (m := fun r => sum (fun k => power q (s k)) r) in *. set (m' := fun r => sum (fun k => power q (s' k)) r).
    change (m' k < (1 - tau) * m' n). change (m k < (1 - tau) * m n) in B.
    assert (0 < m n) as S1 by (apply sum_pos; [apply powers_positive|]; auto; lia).
    assert (0 < m' n) as S2 by (apply sum_pos; [apply powers_positive|]; auto; lia).
    assert (m' k * m n <= m k * m' n) as T.
    { apply (ratio_partial _ _ n); auto; [apply powers_positive; auto | apply powers_ratio_rises; auto | lia]. }
    apply (Rmult_lt_reg_r (m n)); auto. nra.
Qed.

(** Let both spectra be positive and descending with ratios that do not fall. Under every fixed, relative and energy rule at
    least one value is kept, the second spectrum keeps at least as many as the first, and its truncated entropy (not
    normalised) is at least that of the first. *)
Theorem ratio_order_truncated cut q sigma sigma' n : 0 < q -> (1 <= n)%nat ->
  positive sigma n -> positive sigma' n -> descending sigma n -> descending sigma' n -> ratio_rises sigma sigma' n ->
  allowed cut -> scale_free cut ->
  (1 <= cutoff cut q sigma n <= cutoff cut q sigma' n)%nat /\
  truncated_entropy cut q sigma n <= truncated_entropy cut q sigma' n.
Proof.
  intros Q L P P' D D' M A F.
  pose proof (cutoff_at_least_one cut q sigma n P L A F) as B.
  pose proof (cutoff_order cut q sigma sigma' n Q P P' D D' M A F) as C.
  pose proof (cutoff_le cut q sigma' n) as E. split; [lia|]. unfold truncated_entropy.
  set (r := cutoff cut q sigma n) in *. set (r' := cutoff cut q sigma' n) in *.
  apply Rle_trans with (H q sigma' r).
  - apply ratio_order; auto; try (eapply positive_sub; eauto; lia); try (eapply descending_sub; eauto; lia).
    intros k Hk. apply M; lia.
  - apply rank_monotone_le with n; auto.
Qed.
