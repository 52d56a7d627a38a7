(** * Peano kernels of differences with few nodes: B-splines, and when one node too many still averages

    The Peano kernel of a difference of d^m/dx^m is  K(t) = sum_k c_k (s_k - t)_+^(m-1) / (m-1)!.  On m + 1 nodes the
    moment equations make the difference m! times the divided difference, and K the B-spline M of those knots (of
    integral 1; H. B. Curry and I. J. Schoenberg, 1966), here by the recurrence of Cox and de Boor; so K >= 0.  On m + 2
    nodes K is a combination of two B-splines.  Divided differences are defined by  f[s_0, ..., s_n] = g[s_1, ..., s_n],
    g(x) = (f(x) - f(s_0)) / (x - s_0). *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils MultipleAngles.
Import ListNotations.
Open Scope R_scope.

(** ** Definitions *)

(** x_+^k, with 0_+^0 = 0. *)
Definition plus_power (k : nat) (x : R) : R := if Rlt_dec 0 x then x ^ k else 0.

(** The Peano kernel. *)
Definition peano (m : nat) (S : stencil) (t : R) : R :=
  wsum S (fun s => plus_power (m - 1) (s - t)) / INR (fact (m - 1)).

(** The stencil with nodes s_0, ..., s_(n-1) and weights c_0, ..., c_(n-1). *)
Definition on_nodes (n : nat) (s c : nat -> R) : stencil := map (fun k => (s k, c k)) (seq 0 n).

(** Nodes in ascending order up to the index N. *)
Definition ascending (N : nat) (s : nat -> R) : Prop := forall i j, (i < j)%nat -> (j <= N)%nat -> s i < s j.

(** The B-spline of the knots s_i, ..., s_(i+n), normalised to the integral 1: recurrence of Cox and de Boor. *)
Fixpoint bspline (s : nat -> R) (n i : nat) (t : R) : R :=
  match n with
  | O => 0
  | S O => if Rle_dec (s i) t then if Rlt_dec t (s (S i)) then 1 / (s (S i) - s i) else 0 else 0
  | S (S _ as n') => INR n / INR n' * (((t - s i) * bspline s n' i t + (s (i + n)%nat - t) * bspline s n' (S i) t)
                                       / (s (i + n)%nat - s i))
  end.

(** The divided difference f[s_i, ..., s_(i+n)]. *)
Fixpoint dd (s : nat -> R) (i n : nat) (f : R -> R) : R :=
  match n with O => f (s i) | S n' => dd s (S i) n' (fun x => (f x - f (s i)) / (x - s i)) end.

(** ** Sums over nodes *)

Lemma wsum_on_nodes n s c f : wsum (on_nodes n s c) f = psum (fun k => c k * f (s k)) n.
Proof.
unfold on_nodes. induction n as [|n IH]; [reflexivity|].
rewrite seq_S, map_app, wsum_app, IH. simpl. unfold node, weight; simpl. ring.
Qed.

(** ** Divided differences *)

Lemma dd_ext s n : forall i f g, (forall k, (k <= n)%nat -> f (s (i + k)%nat) = g (s (i + k)%nat)) -> dd s i n f = dd s i n g.
Proof.
induction n as [|n IH]; intros i f g H; simpl.
- specialize (H O (le_n _)). now rewrite Nat.add_0_r in H.
- apply IH. intros k Hk. pose proof (H O ltac:(lia)) as H0. rewrite Nat.add_0_r in H0. rewrite H0.
  replace (S i + k)%nat with (i + S k)%nat by lia. rewrite H by lia. reflexivity.
Qed.

Lemma dd_plus s n : forall i f g, dd s i n (fun x => f x + g x) = dd s i n f + dd s i n g.
Proof.
induction n as [|n IH]; intros i f g; simpl; [reflexivity|]. rewrite <- IH. apply dd_ext. intros k _. unfold Rdiv. ring.
Qed.

Lemma dd_scal s n : forall i a f, dd s i n (fun x => a * f x) = a * dd s i n f.
Proof.
induction n as [|n IH]; intros i a f; simpl; [reflexivity|]. rewrite <- IH. apply dd_ext. intros k _. unfold Rdiv. ring.
Qed.

Lemma dd_const s n i a : dd s i (S n) (fun _ => a) = 0.
Proof.
simpl. rewrite (dd_ext s n (S i) _ (fun _ => 0 * 0)) by (intros; unfold Rdiv; ring). rewrite dd_scal. ring.
Qed.

Lemma nodes_differ N s i j : ascending N s -> (i < j)%nat -> (j <= N)%nat -> s j - s i <> 0.
Proof. intros H Hij Hj. specialize (H i j Hij Hj). lra. Qed.

(** Leibniz' rule for a linear factor, taking the first or the last node away. *)
Lemma dd_left N s n i t f : ascending N s -> (i + S n <= N)%nat ->
  dd s i (S n) (fun x => (x - t) * f x) = dd s (S i) n f + (s i - t) * dd s i (S n) f.
Proof.
intros Ha Hn. simpl. rewrite <- dd_scal, <- dd_plus. apply dd_ext. intros k Hk. field.
replace (S i + k)%nat with (i + S k)%nat by lia. apply (nodes_differ N); auto; lia.
Qed.

Lemma dd_right N s n : forall i t f, ascending N s -> (i + S n <= N)%nat ->
  dd s i (S n) (fun x => (x - t) * f x) = dd s i n f + (s (i + S n)%nat - t) * dd s i (S n) f.
Proof.
induction n as [|n IH]; intros i t f Ha Hn.
- simpl. replace (i + 1)%nat with (S i) by lia. field. apply (nodes_differ N); auto; lia.
- rewrite (dd_left N) by auto.
  change (dd s i (S (S n)) f) with (dd s (S i) (S n) (fun x => (f x - f (s i)) / (x - s i))).
  set (g := fun x => (f x - f (s i)) / (x - s i)).
  change (dd s i (S n) f) with (dd s (S i) n g).
  rewrite <- dd_scal, <- dd_plus.
  rewrite (dd_ext s (S n) (S i) _ (fun x => f (s i) + (x - t) * g x)).
  + rewrite dd_plus, dd_const, IH by (auto; lia). replace (S i + S n)%nat with (i + S (S n))%nat by lia. ring.
  + intros k Hk. unfold g. field. replace (S i + k)%nat with (i + S k)%nat by lia. apply (nodes_differ N); auto; lia.
Qed.

(** The usual recurrence of divided differences. *)
Lemma dd_recurrence N s n i f : ascending N s -> (i + S n <= N)%nat ->
  dd s i (S n) f = (dd s (S i) n f - dd s i n f) / (s (i + S n)%nat - s i).
Proof.
intros Ha Hn. pose proof (dd_left N s n i 0 f Ha Hn) as E1. pose proof (dd_right N s n i 0 f Ha Hn) as E2.
assert (Hd : s (i + S n)%nat - s i <> 0) by (apply (nodes_differ N); auto; lia).
apply (Rmult_eq_reg_r (s (i + S n)%nat - s i)); [|exact Hd].
unfold Rdiv. rewrite Rmult_assoc, Rinv_l by exact Hd. lra.
Qed.

(** A weighted sum over n + 1 nodes that annihilates the powers below n is a multiple of the divided difference. *)
Lemma sum_is_dd N s n : forall i c A, ascending N s -> (i + n <= N)%nat ->
  (forall j, (j < n)%nat -> psum (fun k => c k * s (i + k)%nat ^ j) (S n) = 0) ->
  psum (fun k => c k * s (i + k)%nat ^ n) (S n) = A ->
  forall f, psum (fun k => c k * f (s (i + k)%nat)) (S n) = A * dd s i n f.
Proof.
induction n as [|n IH]; intros i c A Ha Hn H0 HA f.
- simpl in *. rewrite Nat.add_0_r in *. rewrite <- HA. ring.
- assert (Hstep : forall g, psum (fun k => c k * ((s (i + k)%nat - s i) * g (s (i + k)%nat))) (S (S n))
                       = psum (fun k => c (S k) * (s (i + S k)%nat - s i) * g (s (S i + k)%nat)) (S n)).
  { intros g. rewrite psum_shift, Nat.add_0_r. rewrite Rminus_diag_eq by reflexivity.
    rewrite Rmult_0_l, Rmult_0_r, Rplus_0_l. apply psum_ext. intros k _.
    replace (S i + k)%nat with (i + S k)%nat by lia. ring. }
  assert (Hmom : forall j, psum (fun k => c (S k) * (s (i + S k)%nat - s i) * s (S i + k)%nat ^ j) (S n)
            = psum (fun k => c k * s (i + k)%nat ^ S j) (S (S n)) - s i * psum (fun k => c k * s (i + k)%nat ^ j) (S (S n))).
  { intros j. rewrite <- (Hstep (fun x => x ^ j)).
    replace (psum (fun k => c k * s (i + k)%nat ^ S j) (S (S n)) - s i * psum (fun k => c k * s (i + k)%nat ^ j) (S (S n)))
      with (psum (fun k => c k * s (i + k)%nat ^ S j) (S (S n)) + - s i * psum (fun k => c k * s (i + k)%nat ^ j) (S (S n))) by ring.
    rewrite <- psum_scal, <- psum_plus. apply psum_ext. intros k _. simpl pow. ring. }
  change (dd s i (S n) f) with (dd s (S i) n (fun x => (f x - f (s i)) / (x - s i))).
  rewrite <- (IH (S i) (fun k => c (S k) * (s (i + S k)%nat - s i)) A Ha ltac:(lia)).
  + rewrite <- (Hstep (fun x => (f x - f (s i)) / (x - s i))).
    rewrite (psum_ext (fun k => c k * f (s (i + k)%nat))
              (fun k => f (s i) * (c k * s (i + k)%nat ^ 0) + c k * ((s (i + k)%nat - s i) * ((f (s (i + k)%nat) - f (s i)) / (s (i + k)%nat - s i))))).
    * rewrite psum_plus, psum_scal, H0 by lia. ring.
    * intros [|k] Hk.
      -- rewrite Nat.add_0_r. simpl pow. rewrite (Rminus_diag_eq (s i)) by reflexivity. ring.
      -- simpl pow. field. apply (nodes_differ N); auto; lia.
  + intros j Hj. rewrite Hmom, !H0 by lia. ring.
  + rewrite Hmom, HA, H0 by lia. ring.
Qed.

(** The same with one node more: a combination of two divided differences. *)
Lemma sum_is_two_dd N s n : forall i c A B, ascending N s -> (i + S n <= N)%nat ->
  (forall j, (j < n)%nat -> psum (fun k => c k * s (i + k)%nat ^ j) (S (S n)) = 0) ->
  psum (fun k => c k * s (i + k)%nat ^ n) (S (S n)) = A ->
  psum (fun k => c k * s (i + k)%nat ^ S n) (S (S n)) = B ->
  forall f, psum (fun k => c k * f (s (i + k)%nat)) (S (S n))
            = A * dd s i n f + (B - A * psum (fun k => s (i + k)%nat) (S n)) * dd s i (S n) f.
Proof.
induction n as [|n IH]; intros i c A B Ha Hn H0 HA HB f.
- simpl in *. rewrite Nat.add_0_r in *. replace (i + 1)%nat with (S i) in * by lia. rewrite <- HA, <- HB.
  field. apply (nodes_differ N); auto; lia.
- assert (Hstep : forall g, psum (fun k => c k * ((s (i + k)%nat - s i) * g (s (i + k)%nat))) (S (S (S n)))
                       = psum (fun k => c (S k) * (s (i + S k)%nat - s i) * g (s (S i + k)%nat)) (S (S n))).
  { intros g. rewrite psum_shift, Nat.add_0_r. rewrite Rminus_diag_eq by reflexivity.
    rewrite Rmult_0_l, Rmult_0_r, Rplus_0_l. apply psum_ext. intros k _.
    replace (S i + k)%nat with (i + S k)%nat by lia. ring. }
  assert (Hmom : forall j, psum (fun k => c (S k) * (s (i + S k)%nat - s i) * s (S i + k)%nat ^ j) (S (S n))
            = psum (fun k => c k * s (i + k)%nat ^ S j) (S (S (S n))) - s i * psum (fun k => c k * s (i + k)%nat ^ j) (S (S (S n)))).
  { intros j. rewrite <- (Hstep (fun x => x ^ j)).
    replace (psum (fun k => c k * s (i + k)%nat ^ S j) (S (S (S n))) - s i * psum (fun k => c k * s (i + k)%nat ^ j) (S (S (S n))))
      with (psum (fun k => c k * s (i + k)%nat ^ S j) (S (S (S n))) + - s i * psum (fun k => c k * s (i + k)%nat ^ j) (S (S (S n)))) by ring.
    rewrite <- psum_scal, <- psum_plus. apply psum_ext. intros k _. simpl pow. ring. }
  set (g := fun x => (f x - f (s i)) / (x - s i)).
  change (dd s i (S n) f) with (dd s (S i) n g). change (dd s i (S (S n)) f) with (dd s (S i) (S n) g).
  pose proof (IH (S i) (fun k => c (S k) * (s (i + S k)%nat - s i)) A (B - s i * A) Ha ltac:(lia)) as E.
  replace (B - A * psum (fun k => s (i + k)%nat) (S (S n)))
    with (B - s i * A - A * psum (fun k => s (S i + k)%nat) (S n)).
  + rewrite <- E.
    * rewrite <- (Hstep g).
      rewrite (psum_ext (fun k => c k * f (s (i + k)%nat))
              (fun k => f (s i) * (c k * s (i + k)%nat ^ 0) + c k * ((s (i + k)%nat - s i) * g (s (i + k)%nat)))).
      -- rewrite psum_plus, psum_scal, H0 by lia. ring.
      -- unfold g. intros [|k] Hk.
         ++ rewrite Nat.add_0_r. simpl pow. rewrite (Rminus_diag_eq (s i)) by reflexivity. ring.
         ++ simpl pow. field. apply (nodes_differ N); auto; lia.
    * intros j Hj. rewrite Hmom, !H0 by lia. ring.
    * rewrite Hmom, HA, H0 by lia. ring.
    * rewrite Hmom, HA, HB. ring.
  + rewrite (psum_shift (fun k => s (i + k)%nat)), Nat.add_0_r.
    rewrite (psum_ext (fun j => s (i + S j)%nat) (fun k => s (S i + k)%nat)) by (intros k _; f_equal; lia). ring.
Qed.

(** ** B-splines *)

Lemma bspline_SS s n i t :
  bspline s (S (S n)) i t
  = INR (S (S n)) / INR (S n) * (((t - s i) * bspline s (S n) i t + (s (i + S (S n))%nat - t) * bspline s (S n) (S i) t)
                                 / (s (i + S (S n))%nat - s i)).
Proof. reflexivity. Qed.

Lemma plus_power_S k x : plus_power (S k) x = x * plus_power k x.
Proof. unfold plus_power. destruct (Rlt_dec 0 x); simpl; ring. Qed.

(** The B-spline is n times the divided difference of the truncated power. *)
Lemma bspline_is_dd N s n : forall i t, ascending N s -> (i + S n <= N)%nat ->
  bspline s (S n) i t = INR (S n) * dd s i (S n) (fun x => plus_power n (x - t)).
Proof.
induction n as [|n IH]; intros i t Ha Hn.
- pose proof (Ha i (S i) ltac:(lia) ltac:(lia)) as Hi. simpl. unfold plus_power; simpl.
  destruct (Rle_dec (s i) t), (Rlt_dec t (s (S i))), (Rlt_dec 0 (s (S i) - t)), (Rlt_dec 0 (s i - t)); try lra; field; lra.
- rewrite bspline_SS, !IH by (auto; lia).
  rewrite (dd_ext s (S (S n)) i _ (fun x => (x - t) * plus_power n (x - t))) by (intros; apply plus_power_S).
  rewrite (dd_left N) by (auto; lia). rewrite (dd_recurrence N s (S n)) by (auto; lia).
  pose proof (nodes_differ N s i (i + S (S n)) Ha ltac:(lia) ltac:(lia)) as Hd.
  pose proof (not_0_INR (S n) ltac:(lia)) as Hi. field. split; assumption.
Qed.

(** It vanishes outside [s_i, s_(i+n)) and is positive inside. *)
Lemma bspline_zero N s n : forall i t, ascending N s -> (i + S n <= N)%nat -> t < s i \/ s (i + S n)%nat <= t ->
  bspline s (S n) i t = 0.
Proof.
induction n as [|n IH]; intros i t Ha Hn Ht.
- pose proof (Ha i (S i) ltac:(lia) ltac:(lia)) as Hi. simpl. replace (i + 1)%nat with (S i) in Ht by lia.
  destruct (Rle_dec (s i) t), (Rlt_dec t (s (S i))); lra.
- pose proof (Ha i (S i) ltac:(lia) ltac:(lia)) as H1.
  pose proof (Ha (i + S n)%nat (i + S (S n))%nat ltac:(lia) ltac:(lia)) as H2.
  rewrite bspline_SS, !IH; auto; try lia.
  + unfold Rdiv. ring.
  + replace (S i + S n)%nat with (i + S (S n))%nat by lia. destruct Ht; lra.
  + destruct Ht; lra.
Qed.

Lemma bspline_nonneg N s n : forall i t, ascending N s -> (i + S n <= N)%nat -> 0 <= bspline s (S n) i t.
Proof.
induction n as [|n IH]; intros i t Ha Hn.
- pose proof (Ha i (S i) ltac:(lia) ltac:(lia)) as Hi. simpl.
  destruct (Rle_dec (s i) t), (Rlt_dec t (s (S i))); try lra. apply Rdiv_le_0_compat; lra.
- destruct (Rlt_dec t (s i)) as [Hl | Hl]; [rewrite (bspline_zero N); auto; lra|].
  destruct (Rle_dec (s (i + S (S n))%nat) t) as [Hr | Hr]; [rewrite (bspline_zero N); auto; lra|].
  rewrite bspline_SS. pose proof (IH i t Ha ltac:(lia)) as P1. pose proof (IH (S i) t Ha ltac:(lia)) as P2.
  pose proof (Ha i (i + S (S n))%nat ltac:(lia) ltac:(lia)) as Hd.
  apply Rmult_le_pos.
  + apply Rdiv_le_0_compat; [apply pos_INR | apply lt_0_INR; lia].
  + apply Rdiv_le_0_compat; [|lra]. apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
Qed.

Lemma bspline_positive N s n : forall i t, ascending N s -> (i + S n <= N)%nat -> s i < t < s (i + S n)%nat ->
  0 < bspline s (S n) i t.
Proof.
induction n as [|n IH]; intros i t Ha Hn Ht.
- replace (i + 1)%nat with (S i) in Ht by lia. simpl.
  destruct (Rle_dec (s i) t), (Rlt_dec t (s (S i))); try lra. apply Rdiv_lt_0_compat; lra.
- rewrite bspline_SS. pose proof (bspline_nonneg N s n i t Ha ltac:(lia)) as P1.
  pose proof (bspline_nonneg N s n (S i) t Ha ltac:(lia)) as P2.
  apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat; apply lt_0_INR; lia|].
  apply Rdiv_lt_0_compat; [|lra].
  assert (Q1 : 0 <= (t - s i) * bspline s (S n) i t) by (apply Rmult_le_pos; lra).
  assert (Q2 : 0 <= (s (i + S (S n))%nat - t) * bspline s (S n) (S i) t) by (apply Rmult_le_pos; lra).
  destruct (Rlt_dec t (s (i + S n)%nat)) as [Hl | Hl].
  + assert (0 < (t - s i) * bspline s (S n) i t); [|lra].
    apply Rmult_lt_0_compat; [lra|]. apply IH; auto; lra || lia.
  + assert (0 < (s (i + S (S n))%nat - t) * bspline s (S n) (S i) t); [|lra].
    apply Rmult_lt_0_compat; [lra|]. destruct n as [|n].
    * replace (i + 2)%nat with (S (S i)) in Ht by lia. replace (i + 1)%nat with (S i) in Hl by lia. simpl.
      destruct (Rle_dec (s (S i)) t), (Rlt_dec t (s (S (S i)))); try lra. apply Rdiv_lt_0_compat; lra.
    * apply IH; auto; [lia|]. replace (S i + S (S n))%nat with (i + S (S (S n)))%nat by lia.
      pose proof (Ha (S i) (i + S (S n))%nat ltac:(lia) ltac:(lia)). lra.
Qed.

(** ** The claims *)

Lemma moments_on_nodes m p n s c j : order_conditions m p (on_nodes n s c) -> (j < m + p)%nat ->
  psum (fun k => c k * s (0 + k)%nat ^ j) n = if Nat.eqb j m then INR (fact m) else 0.
Proof. intros Ho Hj. rewrite <- (Ho j Hj). unfold moment. now rewrite wsum_on_nodes. Qed.

Lemma fact_ratio m : (1 <= m)%nat -> INR (fact m) = INR m * INR (fact (m - 1)).
Proof. intros Hm. destruct m as [|m]; [lia|]. replace (S m - 1)%nat with m by lia. now rewrite INR_fact_S, S_INR. Qed.

(** On m + 1 nodes the Peano kernel is the B-spline of those knots, and non-negative: every m >= 1, all real nodes, the
    weights determined by the moment equations, every t. *)
Theorem minimal_is_bspline m s c : (1 <= m)%nat -> ascending m s -> order_conditions m 1 (on_nodes (S m) s c) ->
  forall t, peano m (on_nodes (S m) s c) t = bspline s m 0 t /\ 0 <= peano m (on_nodes (S m) s c) t.
Proof.
intros Hm Ha Ho t.
assert (E : peano m (on_nodes (S m) s c) t = bspline s m 0 t).
{ unfold peano. rewrite wsum_on_nodes.
  assert (D : psum (fun k => c k * plus_power (m - 1) (s k - t)) (S m)
              = INR (fact m) * dd s 0 m (fun x => plus_power (m - 1) (x - t))).
  { refine (sum_is_dd m s m 0 c (INR (fact m)) Ha (le_n _) _ _ (fun x => plus_power (m - 1) (x - t))).
    - intros j Hj. rewrite (moments_on_nodes m 1) by (auto; lia). destruct (Nat.eqb_spec j m); [lia | reflexivity].
    - rewrite (moments_on_nodes m 1) by (auto; lia). now rewrite Nat.eqb_refl. }
  rewrite D. destruct m as [|m]; [lia|]. rewrite (bspline_is_dd (S m)) by (auto; lia). replace (S m - 1)%nat with m by lia.
    rewrite INR_fact_S, S_INR. field. apply INR_fact_neq_0. }
split; [exact E|]. rewrite E. destruct m as [|m]; [lia|]. apply (bspline_nonneg (S m)); auto.
Qed.

(** The mean of n + 1 nodes from the index i on. *)
Definition mean_of (s : nat -> R) (i n : nat) : R := psum (fun k => s (i + k)%nat) (S n) / INR (S n).

(** On m + 2 nodes  K = lambda M_1 + (1 - lambda) M_2  with the B-splines of the first and of the last m + 1 nodes. *)
Lemma two_bsplines m s c : (1 <= m)%nat -> ascending (S m) s -> order_conditions m 2 (on_nodes (S (S m)) s c) ->
  forall t, (s (S m) - s O) * peano m (on_nodes (S (S m)) s c) t
            = INR (S m) * (mean_of s 1 m * bspline s m 0 t - mean_of s 0 m * bspline s m 1 t).
Proof.
intros Hm Ha Ho t. unfold peano. rewrite wsum_on_nodes.
assert (D : psum (fun k => c k * plus_power (m - 1) (s k - t)) (S (S m))
            = INR (fact m) * dd s 0 m (fun x => plus_power (m - 1) (x - t))
              + (0 - INR (fact m) * psum (fun k => s (0 + k)%nat) (S m)) * dd s 0 (S m) (fun x => plus_power (m - 1) (x - t))).
{ refine (sum_is_two_dd (S m) s m 0 c (INR (fact m)) 0 Ha (le_n _) _ _ _ (fun x => plus_power (m - 1) (x - t))).
  - intros j Hj. rewrite (moments_on_nodes m 2) by (auto; lia). destruct (Nat.eqb_spec j m); [lia | reflexivity].
  - rewrite (moments_on_nodes m 2) by (auto; lia). now rewrite Nat.eqb_refl.
  - rewrite (moments_on_nodes m 2) by (auto; lia). destruct (Nat.eqb_spec (S m) m); [lia | reflexivity]. }
rewrite D. rewrite (dd_recurrence (S m)) by auto. destruct m as [|m]; [lia|].
rewrite !(bspline_is_dd (S (S m))) by (auto; lia). replace (S m - 1)%nat with m by lia.
  set (D0 := dd s 0 (S m) (fun x => plus_power m (x - t))). set (D1 := dd s 1 (S m) (fun x => plus_power m (x - t))).
  pose proof (nodes_differ (S (S m)) s 0 (S (S m)) Ha ltac:(lia) ltac:(lia)) as Hd. simpl (0 + S (S m))%nat.
  assert (Hs : psum (fun k => s (1 + k)%nat) (S (S m)) = psum (fun k => s (0 + k)%nat) (S (S m)) + s (S (S m)) - s O).
  { pose proof (psum_shift s (S (S m))) as E.
    change (psum s (S (S m)) + s (S (S m)) = s O + psum (fun k => s (1 + k)%nat) (S (S m))) in E.
    change (psum (fun k => s (0 + k)%nat) (S (S m))) with (psum s (S (S m))). lra. }
  unfold mean_of. rewrite Hs. rewrite INR_fact_S, !S_INR. pose proof (INR_fact_neq_0 m). pose proof (pos_INR m). 
  field. repeat split; auto; lra.
Qed.

(** The criterion: with m + 2 nodes K >= 0 if and only if 0 lies between the mean of the first m + 1 nodes and that of
    the last m + 1; every m >= 1, all real nodes. *)
Theorem positivity_criterion m s c : (1 <= m)%nat -> ascending (S m) s -> order_conditions m 2 (on_nodes (S (S m)) s c) ->
  (forall t, 0 <= peano m (on_nodes (S (S m)) s c) t) <-> mean_of s 0 m <= 0 <= mean_of s 1 m.
Proof.
intros Hm Ha Ho. pose proof (two_bsplines m s c Hm Ha Ho) as E.
pose proof (Ha O (S m) ltac:(lia) ltac:(lia)) as Hd. pose proof (lt_0_INR (S m) ltac:(lia)) as Hi.
destruct m as [|m]; [lia|]. split.
- intros HK. split.
  + (* between the last two nodes only the second B-spline is left *)
    pose proof (Ha (S m) (S (S m)) ltac:(lia) ltac:(lia)) as Hl.
    set (t := (s (S m) + s (S (S m))) / 2). pose proof (E t) as Et. pose proof (HK t) as Kt.
    rewrite (bspline_zero (S (S m)) s m 0 t) in Et by (auto; try lia; right; simpl; unfold t; lra).
    assert (P : 0 < bspline s (S m) 1 t).
    { apply (bspline_positive (S (S m))); auto. simpl. destruct m as [|m].
      - unfold t; lra.
      - pose proof (Ha 1%nat (S (S m)) ltac:(lia) ltac:(lia)). unfold t; lra. }
    assert (0 <= (s (S (S m)) - s O) * peano (S m) (on_nodes (S (S (S m))) s c) t) by (apply Rmult_le_pos; lra).
    apply Rnot_lt_le. intros Hneg.
    assert (0 < INR (S (S m)) * (mean_of s 0 (S m) * bspline s (S m) 1 t)) by (apply Rmult_lt_0_compat; [lra | apply Rmult_lt_0_compat; lra]). lra.
  + pose proof (Ha O 1%nat ltac:(lia) ltac:(lia)) as Hl.
    set (t := (s O + s 1%nat) / 2). pose proof (E t) as Et. pose proof (HK t) as Kt.
    rewrite (bspline_zero (S (S m)) s m 1 t) in Et by (auto; try lia; left; unfold t; lra).
    assert (P : 0 < bspline s (S m) 0 t).
    { apply (bspline_positive (S (S m))); auto. simpl. destruct m as [|m].
      - unfold t; lra.
      - pose proof (Ha 1%nat (S (S m)) ltac:(lia) ltac:(lia)). unfold t; lra. }
    assert (0 <= (s (S (S m)) - s O) * peano (S m) (on_nodes (S (S (S m))) s c) t) by (apply Rmult_le_pos; lra).
    apply Rnot_lt_le. intros Hneg.
    assert (0 < INR (S (S m)) * (- mean_of s 1 (S m) * bspline s (S m) 0 t)) by (apply Rmult_lt_0_compat; [lra | apply Rmult_lt_0_compat; lra]). lra.
- intros [H0 H1] t. pose proof (E t) as Et.
  pose proof (bspline_nonneg (S (S m)) s m 0 t Ha ltac:(lia)) as P0.
  pose proof (bspline_nonneg (S (S m)) s m 1 t Ha ltac:(lia)) as P1.
  apply (Rmult_le_reg_l (s (S (S m)) - s O)); [lra|]. rewrite Rmult_0_r, Et.
  apply Rmult_le_pos; [lra|].
  assert (0 <= mean_of s 1 (S m) * bspline s (S m) 0 t) by (apply Rmult_le_pos; lra).
  assert (0 <= - mean_of s 0 (S m) * bspline s (S m) 1 t) by (apply Rmult_le_pos; lra). lra.
Qed.
