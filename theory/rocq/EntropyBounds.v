(** * How far the entropies of two spectra can be apart

    What is proved, for spectra of r positive values: the derivative of the entropy in the logarithm of a singular value, and
    when raising a value raises the entropy; the continuity bound of Fannes and Audenaert; the distance of the probabilities
    from the differences of the singular values; and bounds under factors, d_min sigma_k <= sigma'_k <= d_max sigma_k.

    Sources. The continuity bound: K. M. R. Audenaert, J. Phys. A 40 (2007) 8127; the proof is the classical one, by Fano's
    inequality for a joint law with the marginals p and p' and the largest mass on the diagonal (Z. Zhang, IEEE Trans. Inf.
    Theory 53 (2007) 3280). The other arguments are ours. *)

From Coq Require Import Reals Lra Lia Arith Bool.
Set Warnings "-ambiguous-paths". (* Coquelicot's own *)
From Coquelicot Require Import Coquelicot.
From adfd Require Import Entropy Majorisation.
Open Scope R_scope.

(** The names of Entropy.v, not those of Coquelicot. *)
Notation sum := Entropy.sum.
Notation power := Entropy.power.

(** ** The threshold *)

(** The spectrum with its value at k replaced by x. *)
Definition replaced (sigma : nat -> R) (k : nat) (x : R) (j : nat) : R := if Nat.eqb j k then x else sigma j.

Lemma sum_without f r k : (k < r)%nat -> sum f r = sum (fun j => if Nat.eqb j k then 0 else f j) r + f k.
Proof.
  induction r as [|r IH]; intros Hk; [lia|]. simpl. destruct (Nat.eqb_spec r k) as [->|N].
  - rewrite (sum_ext (fun j => if Nat.eqb j k then 0 else f j) f); [ring|].
    intros j Hj. destruct (Nat.eqb_spec j k); [lia | reflexivity].
  - rewrite IH by lia. ring.
Qed.

(** The entropy with the value at k set to e^t, as a function of t. *)
Lemma H_replaced q sigma r k t : positive sigma r -> (k < r)%nat ->
  let rest f := sum (fun j => if Nat.eqb j k then 0 else f (power q (sigma j))) r in
  H q (replaced sigma k (exp t)) r =
  ln (rest (fun w => w) + exp (q * t))
  - (rest (fun w => w * ln w) + exp (q * t) * (q * t)) / (rest (fun w => w) + exp (q * t)).
Proof.
  intros P Hk rest. pose proof (exp_pos t) as E.
  assert (positive (replaced sigma k (exp t)) r) as P'.
  { intros j Hj. unfold replaced. destruct (Nat.eqb j k); auto. }
  assert (power q (exp t) = exp (q * t)) as W by (rewrite power_Rpower by assumption; unfold Rpower; rewrite ln_exp; reflexivity).
  unfold H. rewrite probability_share, shannon_share; [|apply powers_positive; auto|lia].
  assert (forall f, sum (fun j => f (power q (replaced sigma k (exp t) j))) r = rest f + f (exp (q * t))) as F.
  { intros f. rewrite (sum_without _ r k Hk). unfold rest. f_equal.
    - apply sum_ext. intros j _. unfold replaced. destruct (Nat.eqb j k); reflexivity.
    - unfold replaced. rewrite Nat.eqb_refl, W. reflexivity. }
  rewrite (F (fun w => w)), (F (fun w => w * ln w)), ln_exp. reflexivity.
Qed.

(** The entropy is ln S - L / S, and ln p_k = ln w_k - ln S, with w = sigma^q, S its sum and L that of w ln w. *)
Lemma slope_formula q sigma r k : positive sigma r -> (k < r)%nat ->
  let w j := power q (sigma j) in let S := sum w r in let L := sum (fun j => w j * ln (w j)) r in
  - q * probability q sigma r k * (ln (probability q sigma r k) + H q sigma r) = q * (w k / S) * (L / S - ln (w k)).
Proof.
  intros P Hk w S L. pose proof (powers_positive q sigma r P) as W.
  assert (0 < S) as Sp by (apply sum_pos; auto; lia). pose proof (W k Hk) as Wk. cbv beta in Wk.
  unfold H. rewrite probability_share, shannon_share by (auto; lia).
  change (- q * (w k / S) * (ln (w k / S) + (ln S - L / S)) = q * (w k / S) * (L / S - ln (w k))).
  rewrite ln_div by auto. field. lra.
Qed.

(** entropy.threshold, the derivative. At fixed r, d H / d ln sigma_k = - q p_k (ln p_k + H), for every real q. *)
Theorem threshold_derivative q sigma r k : positive sigma r -> (k < r)%nat ->
  is_derive (fun t => H q (replaced sigma k (exp t)) r) (ln (sigma k))
    (- q * probability q sigma r k * (ln (probability q sigma r k) + H q sigma r)).
Proof.
  intros P Hk. pose proof (P k Hk) as Pk.
  set (w := fun j => power q (sigma j)). pose proof (powers_positive q sigma r P) as W. fold w in W.
  set (C := sum (fun j => if Nat.eqb j k then 0 else w j) r).
  set (D := sum (fun j => if Nat.eqb j k then 0 else w j * ln (w j)) r).
  apply (is_derive_ext (fun t => ln (C + exp (q * t)) - (D + exp (q * t) * (q * t)) / (C + exp (q * t)))).
  { intros t. rewrite (H_replaced q sigma r k t P Hk). reflexivity. }
  assert (0 <= C) as Cn.
  { apply sum_nonneg. intros j Hj. destruct (Nat.eqb j k); [lra | left; apply W; exact Hj]. }
  assert (exp (q * ln (sigma k)) = w k) as E by (unfold w; rewrite power_Rpower by exact Pk; reflexivity).
  assert (0 < w k) as Wk by (apply W; exact Hk).
  assert (ln (w k) = q * ln (sigma k)) as Lw by (rewrite <- E, ln_exp; reflexivity).
  rewrite (slope_formula q sigma r k P Hk). cbv zeta. change (fun j => power q (sigma j)) with w.
  change (fun j => power q (sigma j) * ln (power q (sigma j))) with (fun j => w j * ln (w j)).
  rewrite (sum_without w r k Hk), (sum_without (fun j => w j * ln (w j)) r k Hk). fold C D.
  change (power q (sigma k)) with (w k).
  auto_derive.
  - rewrite E. repeat split; lra.
  - rewrite E, Lw. field. lra.
Qed.

(** A function with a positive (negative) derivative rises (falls) at once. *)
Lemma rises_at_once f x l : is_derive f x l -> 0 < l ->
  exists d, 0 < d /\ forall y, x < y < x + d -> f x < f y.
Proof.
  intros D L. apply is_derive_Reals in D. destruct (D l L) as [d Hd]. exists d. split; [apply cond_pos|].
  intros y [A B]. specialize (Hd (y - x) ltac:(lra)). rewrite Rabs_pos_eq in Hd by lra. specialize (Hd ltac:(lra)).
  replace (x + (y - x)) with y in Hd by ring. apply Rabs_def2 in Hd. destruct Hd as [_ G].
  assert (0 < (f y - f x) / (y - x)) as Q by lra. apply (Rmult_lt_compat_r (y - x)) in Q; [|lra].
  replace ((f y - f x) / (y - x) * (y - x)) with (f y - f x) in Q by (field; lra). lra.
Qed.

Lemma falls_at_once f x l : is_derive f x l -> l < 0 ->
  exists d, 0 < d /\ forall y, x < y < x + d -> f y < f x.
Proof.
  intros D L. destruct (rises_at_once (fun y => - f y) x (- l)) as [d [Dp G]]; [|lra|].
  - apply (is_derive_opp f x l D).
  - exists d. split; auto. intros y Hy. specialize (G y Hy). lra.
Qed.

Lemma H_replaced_self q sigma r k : H q (replaced sigma k (sigma k)) r = H q sigma r.
Proof.
  assert (forall j, replaced sigma k (sigma k) j = sigma j) as E.
  { intros j; unfold replaced; destruct (Nat.eqb_spec j k); congruence. }
  unfold H, shannon, probability. f_equal. rewrite (sum_ext (fun j => power q (replaced sigma k (sigma k) j))
    (fun j => power q (sigma j))) by (intros; rewrite E; reflexivity).
  apply sum_ext. intros j _. rewrite E. reflexivity.
Qed.

(** From a statement on ln sigma_k to factors of sigma_k. *)
Lemma factors (sigma : nat -> R) k d c : 0 < sigma k -> 1 < c < exp d -> ln (sigma k) < ln (c * sigma k) < ln (sigma k) + d.
Proof.
  intros P [A B]. rewrite ln_mult by lra. assert (0 < ln c) by (rewrite <- ln_1; apply ln_increasing; lra).
  assert (ln c < d) by (rewrite <- (ln_exp d); apply ln_increasing; lra). lra.
Qed.

(** entropy.threshold, its consequence. Multiplying sigma_k by any c > 1 near enough to 1 raises H if p_k < e^(-H), and lowers
    it if p_k > e^(-H), for every q > 0. *)
Theorem threshold q sigma r k : 0 < q -> positive sigma r -> (k < r)%nat ->
  (probability q sigma r k < exp (- H q sigma r) ->
    exists b, 1 < b /\ forall c, 1 < c < b -> H q sigma r < H q (replaced sigma k (c * sigma k)) r) /\
  (exp (- H q sigma r) < probability q sigma r k ->
    exists b, 1 < b /\ forall c, 1 < c < b -> H q (replaced sigma k (c * sigma k)) r < H q sigma r).
Proof.
  intros Q P Hk. pose proof (P k Hk) as Pk. pose proof (probability_pos q sigma r P k Hk) as Pp.
  pose proof (threshold_derivative q sigma r k P Hk) as D. set (p := probability q sigma r k) in *.
  assert (0 < q * p) as Qp by (apply Rmult_lt_0_compat; auto). split; intros L.
  - apply ln_increasing in L; [|exact Pp]. rewrite ln_exp in L.
    destruct (rises_at_once _ _ _ D ltac:(nra)) as [d [Dp G]]. exists (exp d).
    split; [pose proof (exp_ineq1 d ltac:(lra)); lra|]. intros c Hc.
    specialize (G (ln (c * sigma k)) (factors sigma k d c Pk Hc)).
    rewrite !exp_ln, H_replaced_self in G by (try apply Rmult_lt_0_compat; lra). exact G.
  - apply ln_increasing in L; [|apply exp_pos]. rewrite ln_exp in L.
    destruct (falls_at_once _ _ _ D ltac:(nra)) as [d [Dp G]]. exists (exp d).
    split; [pose proof (exp_ineq1 d ltac:(lra)); lra|]. intros c Hc.
    specialize (G (ln (c * sigma k)) (factors sigma k d c Pk Hc)).
    rewrite !exp_ln, H_replaced_self in G by (try apply Rmult_lt_0_compat; lra). exact G.
Qed.

(** Two values. *)
Definition pair (a b : R) (k : nat) : R := match k with O => a | _ => b end.

Lemma pair_positive a b : 0 < a -> 0 < b -> positive (pair a b) 2.
Proof. intros A B [|k] _; simpl; assumption. Qed.

Lemma pair_swap q a b : H q (pair a b) 2 = H q (pair b a) 2.
Proof.
  unfold H, shannon, probability. simpl. rewrite !Rplus_0_l.
  rewrite (Rplus_comm (power q b) (power q a)). ring.
Qed.

(** A finite rise need not raise the entropy: sigma = (2, 1) has p_1 < e^(-H), and with 100 in the place of 1 the entropy is
    lower, for every q > 0. *)
Theorem threshold_finite q : 0 < q ->
  probability q (pair 2 1) 2 1 < exp (- H q (pair 2 1) 2) /\ H q (replaced (pair 2 1) 1 100) 2 < H q (pair 2 1) 2.
Proof.
  intros Q. split.
  - pose proof (range q (pair 2 1) 2 (pair_positive 2 1 ltac:(lra) ltac:(lra)) ltac:(lia)) as [_ U].
    assert (power q 1 < power q 2) as L by (rewrite !power_Rpower by lra; apply Rlt_Rpower_l; lra).
    pose proof (power_pos q 1 ltac:(lra)) as A.
    assert (probability q (pair 2 1) 2 1 < / 2) as B.
    { unfold probability. simpl. rewrite Rplus_0_l. apply (Rmult_lt_reg_r (power q 2 + power q 1)); [lra|].
      field_simplify; lra. }
    apply Rlt_le_trans with (exp (- ln (INR 2))).
    + rewrite exp_Ropp, exp_ln by (simpl; lra). exact B.
    + destruct U as [U|U]; [left; apply exp_increasing; lra | right; f_equal; lra].
  - replace (H q (replaced (pair 2 1) 1 100) 2) with (H q (pair 100 2) 2).
    + apply ratio_majorisation; auto; try (apply pair_positive; lra).
      * intros [|k] Hk; simpl; [lra|lia].
      * intros [|k] Hk; simpl; [lra|lia].
      * intros F. specialize (F O ltac:(lia)). simpl in F. lra.
      * intros [|k] Hk; simpl; [lra|lia].
    + rewrite pair_swap. reflexivity.
Qed.

(** ** Distances of probabilities *)

(** T = 1/2 sum of |p_k - p'_k|. *)
Definition total_variation (p p' : nat -> R) (r : nat) : R := sum (fun k => Rabs (p k - p' k)) r / 2.

Lemma sum_abs_self s r : (forall k, (k < r)%nat -> 0 <= s k) -> sum (fun k => Rabs (s k)) r = sum s r.
Proof. intros P. apply sum_ext. intros k Hk. apply Rabs_pos_eq; auto. Qed.

Lemma sum_abs_le f r : Rabs (sum f r) <= sum (fun k => Rabs (f k)) r.
Proof.
  induction r as [|r IH]; simpl; [rewrite Rabs_R0; lra|].
  apply Rle_trans with (Rabs (sum f r) + Rabs (f r)); [apply Rabs_triang | lra].
Qed.

Lemma distance_half s s' r : (forall k, (k < r)%nat -> 0 <= s' k) -> 0 < sum s r -> 0 < sum s' r ->
  total_variation (share s r) (share s' r) r <= sum (fun k => Rabs (s k - s' k)) r / sum s r.
Proof.
  intros P' S S'. unfold total_variation.
  set (d := sum (fun k => Rabs (s k - s' k)) r). set (A := sum s r) in *. set (B := sum s' r) in *.
  assert (Rabs (A - B) <= d) as G by (unfold A, B, d; rewrite <- sum_minus; apply sum_abs_le).
  assert (sum (fun k => Rabs (share s r k - share s' r k)) r <= / A * d + (Rabs (A - B) / (A * B)) * B) as T.
  { set (c := Rabs (A - B) / (A * B)). unfold d, B. rewrite <- !sum_scal, <- sum_plus. unfold c. fold B.
    apply sum_le. intros k Hk. unfold share. fold A B.
    replace (s k / A - s' k / B) with (/ A * (s k - s' k) + s' k * ((B - A) / (A * B))) by (field; lra).
    apply Rle_trans with (1 := Rabs_triang _ _).
    assert (Rabs (/ A * (s k - s' k)) = / A * Rabs (s k - s' k)) as X.
    { rewrite Rabs_mult. f_equal. apply Rabs_pos_eq. left; apply Rinv_0_lt_compat; auto. }
    assert (Rabs (s' k * ((B - A) / (A * B))) = Rabs (A - B) / (A * B) * s' k) as Y.
    { rewrite Rabs_mult, (Rabs_pos_eq (s' k)) by auto. unfold Rdiv. rewrite Rabs_mult, (Rabs_minus_sym B A).
      rewrite (Rabs_pos_eq (/ (A * B))); [ring|]. left; apply Rinv_0_lt_compat, Rmult_lt_0_compat; auto. }
    rewrite X, Y. apply Rle_refl. }
  replace (Rabs (A - B) / (A * B) * B) with (/ A * Rabs (A - B)) in T by (field; lra).
  assert (/ A * Rabs (A - B) <= / A * d) as U by (apply Rmult_le_compat_l; [left; apply Rinv_0_lt_compat|]; auto).
  unfold Rdiv at 2. lra.
Qed.

Lemma total_variation_sym p p' r : total_variation p p' r = total_variation p' p r.
Proof. unfold total_variation. f_equal. apply sum_ext. intros k _. apply Rabs_minus_sym. Qed.

Lemma probability_1 sigma r : (forall k, (k < r)%nat -> 0 <= sigma k) ->
  forall k, (k < r)%nat -> probability 1 sigma r k = share sigma r k.
Proof.
  intros P k Hk. unfold probability, share. rewrite power_1 by auto. f_equal. apply sum_ext. intros j Hj.
  apply power_1; auto.
Qed.

(** entropy.distance-bound, the part on spectra: under power 1 and equal cut-off numbers r, with S and S' the sums of the r values,
    T <= D / max(S, S') for every D that is at least the sum of |sigma_k - sigma'_k| over the n >= r values; by Mirsky's theorem
    the nuclear norm of A_AD - A_FD is such a D. *)
Theorem distance_bound sigma sigma' r n D : (r <= n)%nat ->
  (forall k, (k < n)%nat -> 0 <= sigma k) -> (forall k, (k < n)%nat -> 0 <= sigma' k) ->
  0 < sum sigma r -> 0 < sum sigma' r -> sum (fun k => Rabs (sigma k - sigma' k)) n <= D ->
  total_variation (probability 1 sigma r) (probability 1 sigma' r) r <= D / Rmax (sum sigma r) (sum sigma' r).
Proof.
  intros L P P' S S' Dn.
  assert (sum (fun k => Rabs (sigma k - sigma' k)) r <= D) as Dr.
  { apply Rle_trans with (2 := Dn). clear - L. induction L as [|m L IH]; simpl; [lra|].
    pose proof (Rabs_pos (sigma m - sigma' m)). lra. }
  assert (forall s, (forall k, (k < n)%nat -> 0 <= s k) -> forall k, (k < r)%nat -> 0 <= s k) as Sub by (intros; auto with zarith).
  assert (total_variation (probability 1 sigma r) (probability 1 sigma' r) r = total_variation (share sigma r) (share sigma' r) r) as E.
  { unfold total_variation. f_equal. apply sum_ext. intros k Hk. rewrite !probability_1; auto. }
  rewrite E. assert (forall A, 0 < A -> sum (fun k => Rabs (sigma k - sigma' k)) r / A <= D / A) as G.
  { intros A HA. apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat|]; auto. }
  unfold Rmax. destruct Rle_dec as [M|M].
  - apply Rle_trans with (2 := G _ S'). rewrite total_variation_sym.
    rewrite (sum_ext (fun k => Rabs (sigma k - sigma' k)) (fun k => Rabs (sigma' k - sigma k)))
      by (intros; apply Rabs_minus_sym).
    apply distance_half; auto.
  - apply Rle_trans with (2 := G _ S). apply distance_half; auto.
Qed.

(** ** Continuity: Fannes and Audenaert *)

(** The entropy of (t, 1 - t). *)
Definition binary_entropy (t : R) : R := - t * ln t - (1 - t) * ln (1 - t).

Definition delta (x y : nat) : R := if Nat.eqb x y then 1 else 0.

Lemma sum_delta f r x : (x < r)%nat -> sum (fun y => delta x y * f y) r = f x.
Proof.
  intros Hx. rewrite (sum_without _ r x Hx). rewrite (sum_ext _ (fun _ => 0)).
  - rewrite sum_const. unfold delta. rewrite Nat.eqb_refl. ring.
  - intros y _. unfold delta. destruct (Nat.eqb_spec y x) as [->|N]; [reflexivity|].
    destruct (Nat.eqb_spec x y); [congruence|ring].
Qed.

(** ln z <= z - 1 with a weight j that is 0 or more and at most a. *)
Lemma weighted_tangent j a b : 0 <= j <= a -> 0 < a -> 0 < b -> j * (ln b - ln a) <= b - j.
Proof.
  intros [J A] Ap Bp. pose proof (ln_le_tangent (b / a) (Rdiv_lt_0_compat _ _ Bp Ap)) as T.
  rewrite ln_div in T by auto. apply (Rmult_le_compat_l j) in T; auto.
  apply Rle_trans with (1 := T). replace (j * (b / a - 1)) with (b * (j / a) - j) by (field; lra).
  assert (j / a <= 1) by (apply (Rmult_le_reg_r a); auto; field_simplify; lra).
  assert (b * (j / a) <= b * 1) by (apply Rmult_le_compat_l; lra). lra.
Qed.

(** One side of the bound, for T > 0. *)
Lemma fannes_one_side p q r : positive p r -> positive q r -> sum p r = 1 -> sum q r = 1 -> (2 <= r)%nat ->
  0 < total_variation p q r -> let T := total_variation p q r in
  shannon p r - shannon q r <= T * ln (INR r - 1) + binary_entropy T.
Proof.
  intros P Q Ep Eq L Tpos T. assert (2 <= INR r) as R2 by (apply (le_INR 2); exact L).
  pose (m := fun k => Rmin (p k) (q k)). pose (u := fun k => p k - m k). pose (v := fun k => q k - m k).
  assert (forall k, 0 <= u k /\ 0 <= v k /\ u k * v k = 0 /\ u k + v k = Rabs (p k - q k)) as UV.
  { intros k. unfold u, v, m, Rmin. destruct Rle_dec as [A|A]; repeat split; try lra; try ring.
    - rewrite Rabs_left1; lra.
    - rewrite Rabs_pos_eq; lra. }
  assert (forall k, (k < r)%nat -> 0 < m k) as M.
  { intros k Hk. unfold m, Rmin. destruct Rle_dec; [apply P | apply Q]; exact Hk. }
  assert (sum u r + sum v r = 2 * T) as Tsum.
  { rewrite <- sum_plus. unfold T, total_variation. rewrite (sum_ext _ (fun k => Rabs (p k - q k))); [lra|].
    intros k _. apply UV. }
  assert (sum u r - sum v r = 0) as Tdiff.
  { rewrite <- sum_minus. rewrite (sum_ext _ (fun k => p k - q k)); [rewrite sum_minus; lra|].
    intros k _. unfold u, v; ring. }
  assert (sum u r = T) as Tu by lra. assert (sum v r = T) as Tv by lra.
  assert (sum m r = 1 - T) as Tm.
  { rewrite (sum_ext _ (fun k => p k - u k)); [rewrite sum_minus; lra | intros k _; unfold u; ring]. }
  assert (0 < 1 - T) as T1 by (rewrite <- Tm; apply sum_pos; [exact M | lia]).
  assert (forall k, (k < r)%nat -> v k <= T) as Vle.
  { intros k Hk. rewrite <- Tv, (sum_without v r k Hk).
    enough (0 <= sum (fun j => if Nat.eqb j k then 0 else v j) r) by lra.
    apply sum_nonneg. intros j _. destruct (Nat.eqb j k); [lra | apply UV]. }
  assert (0 < T) as T0 by exact Tpos. set (c := T / (INR r - 1)). assert (0 < c) as C0 by (apply Rdiv_lt_0_compat; lra).
  (* the joint law of p and q with all of m on the diagonal, and Fano's conditional law *)
  pose (J := fun x y => delta x y * m x + u x * v y / T).
  pose (W := fun x y => if Nat.eqb x y then 1 - T else c).
  assert (forall x y, (x < r)%nat -> (y < r)%nat -> 0 <= J x y <= p x) as Jle.
  { intros x y Hx Hy. pose proof (UV x) as [Ux [Vx [UVx _]]]. pose proof (UV y) as [_ [Vy _]].
    pose proof (M x Hx) as Mx. assert (p x = m x + u x) as E by (unfold u; ring). unfold J, delta.
    destruct (Nat.eqb_spec x y) as [<-|N].
    - rewrite UVx. unfold Rdiv. lra.
    - assert (0 <= v y / T <= 1) as B.
      { split; [apply Rdiv_le_0_compat; lra|]. apply (Rmult_le_reg_r T); auto. field_simplify; [|lra].
        specialize (Vle y Hy). lra. }
      replace (u x * v y / T) with (u x * (v y / T)) by (field; lra). nra. }
  assert (forall x y, (x < r)%nat -> (y < r)%nat -> 0 < W x y) as Wpos by (intros x y _ _; unfold W; destruct Nat.eqb; lra).
  assert (forall x y, J x y * ln (W x y) = delta x y * (m x * ln (1 - T)) + u x * v y / T * ln c) as JW.
  { intros x y. unfold J, W, delta. destruct (Nat.eqb_spec x y) as [<-|N]; [|ring].
    pose proof (UV x) as [_ [_ [Z _]]]. rewrite Z. field. lra. }
  assert (sum (fun x => sum (fun y => J x y * (ln (q y * W x y) - ln (p x))) r) r
    <= sum (fun x => sum (fun y => q y * W x y - J x y) r) r) as Main.
  { apply sum_le. intros x Hx. apply sum_le. intros y Hy. apply weighted_tangent; auto.
    apply Rmult_lt_0_compat; auto. }
  (* the right-hand side is 1 - 1 *)
  assert (forall x, (x < r)%nat -> sum (J x) r = p x) as Jrow.
  { intros x Hx. unfold J. rewrite sum_plus.
    rewrite (sum_delta (fun _ => m x)) by exact Hx.
    rewrite (sum_ext (fun y => u x * v y / T) (fun y => u x / T * v y)) by (intros; field; lra).
    rewrite sum_scal, Tv. unfold u. field. lra. }
  assert (sum (fun x => sum (fun y => q y * W x y - J x y) r) r = 0) as Right.
  { rewrite (sum_ext _ (fun x => (c + (1 - T - c) * q x) - p x)).
    - rewrite sum_minus, sum_plus, sum_const, sum_scal, Ep, Eq. unfold c. field. lra.
    - intros x Hx. rewrite sum_minus. fold (J x). rewrite (Jrow x Hx).
      rewrite (sum_ext _ (fun y => c * q y + (1 - T - c) * (delta x y * q y))).
      + rewrite sum_plus, !sum_scal, sum_delta, Eq by exact Hx. ring.
      + intros y _. unfold W, delta. destruct (Nat.eqb x y); ring. }
  (* the left-hand side *)
  assert (sum (fun x => sum (fun y => J x y * (ln (q y * W x y) - ln (p x))) r) r
    = (1 - T) * ln (1 - T) + T * ln c + sum (fun k => q k * ln (q k)) r - sum (fun k => p k * ln (p k)) r) as Left.
  { rewrite (sum_ext _ (fun x => (ln (1 - T) * m x + ln c * u x + (m x * ln (q x) + sum (fun y => v y * ln (q y)) r / T * u x))
        - p x * ln (p x))).
    - rewrite sum_minus, !sum_plus, !sum_scal, Tm, Tu.
      replace (sum (fun k => q k * ln (q k)) r)
        with (sum (fun k => m k * ln (q k)) r + sum (fun y => v y * ln (q y)) r).
      + field. lra.
      + rewrite <- sum_plus. apply sum_ext. intros k _. unfold v. ring.
    - intros x Hx. rewrite (sum_ext _ (fun y => delta x y * (m x * ln (1 - T) + m x * ln (q y))
          + (u x * ln c / T * v y + u x / T * (v y * ln (q y))) - ln (p x) * J x y)).
      + rewrite sum_minus, !sum_plus, !sum_scal.
        rewrite (sum_delta (fun y => m x * ln (1 - T) + m x * ln (q y))) by exact Hx.
        rewrite Tv, (Jrow x Hx). field. lra.
      + intros y Hy. rewrite ln_mult by auto. rewrite Rmult_minus_distr_l, Rmult_plus_distr_l, JW. unfold J. field. lra. }
  assert (ln c = ln T - ln (INR r - 1)) as Lc by (unfold c; apply ln_div; lra).
  rewrite Right, Left, Lc in Main. unfold shannon, binary_entropy. lra.
Qed.

Lemma shannon_ext p p' r : (forall k, (k < r)%nat -> p k = p' k) -> shannon p r = shannon p' r.
Proof. intros E. unfold shannon. f_equal. apply sum_ext. intros k Hk. rewrite E; auto. Qed.

Lemma sum_zero_terms f r : (forall k, (k < r)%nat -> 0 <= f k) -> sum f r = 0 -> forall k, (k < r)%nat -> f k = 0.
Proof.
  intros P E k Hk. apply Rle_antisym; [|auto]. rewrite <- E, (sum_without f r k Hk).
  enough (0 <= sum (fun j => if Nat.eqb j k then 0 else f j) r) by lra.
  apply sum_nonneg. intros j Hj. destruct (Nat.eqb j k); [lra | auto].
Qed.

Theorem fannes_audenaert_probabilities p p' r : positive p r -> positive p' r -> sum p r = 1 -> sum p' r = 1 -> (2 <= r)%nat ->
  let T := total_variation p p' r in Rabs (shannon p r - shannon p' r) <= T * ln (INR r - 1) + binary_entropy T.
Proof.
  intros P P' E E' L T. assert (0 <= T) as [T0|T0].
  { unfold T, total_variation. enough (0 <= sum (fun k => Rabs (p k - p' k)) r) by lra.
    apply sum_nonneg. intros; apply Rabs_pos. }
  - apply Rabs_le. split.
    + pose proof (fannes_one_side p' p r P' P E' E L) as G. rewrite (total_variation_sym p' p r) in G. fold T in G.
      specialize (G T0). cbv zeta in G. lra.
    + apply (fannes_one_side p p' r P P' E E' L T0).
  - rewrite (shannon_ext p p' r).
    + rewrite <- T0. unfold binary_entropy. rewrite Rminus_eq_0, Rabs_R0, Rminus_0_r, ln_1. lra.
    + intros k Hk. assert (Rabs (p k - p' k) = 0) as Z.
      { apply (sum_zero_terms (fun k => Rabs (p k - p' k)) r); auto; [intros; apply Rabs_pos|].
        unfold T, total_variation in T0. lra. }
      apply Rminus_diag_uniq. destruct (Req_dec (p k - p' k) 0) as [X|X]; [exact X|]. apply Rabs_no_R0 in X. contradiction.
Qed.

(** entropy.fannes-audenaert. For two spectra of r >= 2 positive values and every power q,
    |H - H'| <= T ln(r - 1) + h2(T), T = 1/2 sum of |p_k - p'_k|. *)
Theorem fannes_audenaert q sigma sigma' r : positive sigma r -> positive sigma' r -> (2 <= r)%nat ->
  let T := total_variation (probability q sigma r) (probability q sigma' r) r in
  Rabs (H q sigma r - H q sigma' r) <= T * ln (INR r - 1) + binary_entropy T.
Proof.
  intros P P' L. apply fannes_audenaert_probabilities; auto using probability_pos; apply sum_probability; auto; lia.
Qed.
