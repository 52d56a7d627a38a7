(** * The sine factorisation in d dimensions

    Features sin(w . x + b) and cos(w . x + b) of x in R^d, L a differential operator with constant coefficients whose
    terms all have even order, or all odd (the Laplacian, the biharmonic operator, also u_xx + u_yy - u), L_h a symmetric
    difference of the same parity with any nodes in R^d and any weights (which carry the powers of 1 / h).  Then L_h phi = (ratio of the symbols) L phi for
    each feature phi, wherever the symbol of L does not vanish at w, or both symbols do. *)
From Coq Require Import Reals List Lia Lra Permutation.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils SineFactorisation MultipleAngles.
Import ListNotations.
Open Scope R_scope.

(** ** Points, derivatives, operators *)

(** A point of R^d: its coordinates 0, ..., d-1; the others play no part. *)
Definition point := nat -> R.
Definition dot (d : nat) (w x : point) : R := psum (fun i => w i * x i) d.
Definition move (x : point) (i : nat) (t : R) : point := fun j => if Nat.eqb j i then x j + t else x j.

(** v is the partial derivative of u in the directions of the list alpha, one after the other. *)
Fixpoint is_partial (alpha : list nat) (u v : point -> R) : Prop :=
  match alpha with
  | [] => forall x, v x = u x
  | i :: beta => exists u', (forall x, is_derive (fun t => u (move x i t)) 0 (u' x)) /\ is_partial beta u' v
  end.

(** An operator with constant coefficients: a list of coefficients and derivatives; v = L u. *)
Definition operator := list (R * list nat).
Fixpoint is_applied (L : operator) (u v : point -> R) : Prop :=
  match L with
  | [] => forall x, v x = 0
  | (a, alpha) :: L' => exists v1 v2, is_partial alpha u v1 /\ is_applied L' u v2 /\ forall x, v x = a * v1 x + v2 x
  end.

(** All terms of L have orders of the parity e and derivatives in the directions below d. *)
Definition of_parity (d e : nat) (L : operator) : Prop :=
  forall a alpha, In (a, alpha) L -> Nat.even (length alpha) = Nat.even e /\ forall i, In i alpha -> (i < d)%nat.

(** A difference: nodes in R^d (lists of coordinates) and weights;  L_h u (x) = sum_k c_k u(x + h s_k). *)
Definition difference := list (list R * R).
Definition shifted (x : point) (h : R) (s : list R) : point := fun j => x j + h * nth j s 0.
Fixpoint apply_difference (D : difference) (h : R) (u : point -> R) (x : point) : R :=
  match D with [] => 0 | (s, c) :: D' => c * u (shifted x h s) + apply_difference D' h u x end.
Definition mirror (e : nat) (D : difference) : difference := map (fun sc => (map Ropp (fst sc), (-1) ^ e * snd sc)) D.
Definition symmetric_difference (e : nat) (D : difference) : Prop := Permutation D (mirror e D).

(** ** Symbols:  L e^{i w.x} = i^e symbol_operator(w) e^{i w.x},  and  L_h e^{i w.x} = i^e symbol_difference(h w) e^{i w.x} *)

Fixpoint monomial (w : point) (alpha : list nat) : R := match alpha with [] => 1 | i :: beta => w i * monomial w beta end.
Fixpoint symbol_operator (e : nat) (L : operator) (w : point) : R :=
  match L with
  | [] => 0
  | (a, alpha) :: L' => a * (monomial w alpha * cos (INR (length alpha) * (PI / 2) - INR e * (PI / 2))) + symbol_operator e L' w
  end.
Definition projected (d : nat) (D : difference) (w : point) : stencil :=
  map (fun sc => (dot d w (fun j => nth j (fst sc) 0), snd sc)) D.
Definition symbol_difference (d e : nat) (D : difference) (h : R) (w : point) : R :=
  wsum (projected d D w) (fun s => cos (s * h - INR e * (PI / 2))).

(** ** Derivatives of a feature *)

Lemma dot_move d w x i t : (i < d)%nat -> dot d w (move x i t) = dot d w x + w i * t.
Proof.
unfold dot. induction d as [|d IH]; intros Hi; [lia|]. simpl psum. unfold move at 2.
destruct (Nat.eqb_spec d i) as [-> | Hne].
- assert (E : psum (fun j => w j * move x i t j) i = psum (fun j => w j * x j) i).
  { apply psum_ext. intros j Hj. unfold move. destruct (Nat.eqb_spec j i); [lia | reflexivity]. }
  rewrite E. ring.
- rewrite IH by lia. ring.
Qed.

Lemma partial_ext alpha : forall u u' v v', (forall x, u x = u' x) -> (forall x, v x = v' x) ->
  is_partial alpha u v -> is_partial alpha u' v'.
Proof.
destruct alpha as [|i beta]; simpl.
- intros u u' v v' Hu Hv H x. now rewrite <- Hv, H.
- intros u u' v v' Hu Hv (u1 & H1 & H). exists u1. split.
  + intros x. apply (is_derive_ext (fun t => u (move x i t))); [intros t; apply Hu | apply H1].
  + clear H1. revert u1 H. induction beta as [|j beta IH]; simpl; intros u1 H.
    * intros x. now rewrite <- Hv.
    * destruct H as (u2 & H2 & H). exists u2. split; [exact H2 | now apply (IH u2)].
Qed.

Lemma applied_ext L u u' v : (forall x, u x = u' x) -> is_applied L u v -> is_applied L u' v.
Proof.
intros Hu. revert v. induction L as [|[a alpha] L IH]; simpl; [auto|]. intros v (v1 & v2 & H1 & H2 & H3).
exists v1, v2. split; [|split; auto]. now apply (partial_ext alpha u u' v1 v1).
Qed.

Lemma partial_sin d w alpha : forall b, (forall i, In i alpha -> (i < d)%nat) -> forall c,
  is_partial alpha (fun x => c * sin (dot d w x + b))
    (fun x => c * (monomial w alpha * sin (dot d w x + b + INR (length alpha) * (PI / 2)))).
Proof.
induction alpha as [|i beta IH]; intros b Hd c; simpl is_partial.
- intros x. simpl. rewrite Rmult_0_l, Rplus_0_r. ring.
- exists (fun x => (c * w i) * sin (dot d w x + (b + PI / 2))). split.
  + intros x. apply (is_derive_ext (fun t => c * sin (dot d w x + w i * t + b))).
    { intros t. rewrite dot_move by (apply Hd; now left). reflexivity. }
    auto_derive; [exact I|]. rewrite Rmult_0_r, Rplus_0_r.
    replace (dot d w x + (b + PI / 2)) with (PI / 2 + (dot d w x + b)) by ring. rewrite <- cos_sin. ring.
  + assert (E : forall x, c * (monomial w (i :: beta) * sin (dot d w x + b + INR (length (i :: beta)) * (PI / 2)))
                = (c * w i) * (monomial w beta * sin (dot d w x + (b + PI / 2) + INR (length beta) * (PI / 2)))).
    { intros x. simpl monomial. replace (length (i :: beta)) with (S (length beta)) by reflexivity. rewrite S_INR.
      replace (dot d w x + b + (INR (length beta) + 1) * (PI / 2)) with (dot d w x + (b + PI / 2) + INR (length beta) * (PI / 2)) by ring.
      ring. }
    apply (partial_ext beta (fun x => c * w i * sin (dot d w x + (b + PI / 2))) _
             (fun x => c * w i * (monomial w beta * sin (dot d w x + (b + PI / 2) + INR (length beta) * (PI / 2))))).
    * reflexivity.
    * intros x. symmetry. apply E.
    * apply IH. intros j Hj. apply Hd. now right.
Qed.

(** The partial derivatives, and L u, are determined by u. *)
Lemma partial_unique alpha : forall u u' v v', (forall x, u x = u' x) -> is_partial alpha u v -> is_partial alpha u' v' ->
  forall x, v x = v' x.
Proof.
induction alpha as [|i beta IH]; simpl; intros u u' v v' Hu H H' x.
- now rewrite H, H'.
- destruct H as (u1 & H1 & H2), H' as (u1' & H1' & H2'). apply (IH u1 u1'); auto. intros y.
  rewrite <- (is_derive_unique _ _ _ (H1 y)), <- (is_derive_unique _ _ _ (H1' y)). apply Derive_ext. intros t. apply Hu.
Qed.

Lemma applied_unique L u : forall v v', is_applied L u v -> is_applied L u v' -> forall x, v x = v' x.
Proof.
induction L as [|[a alpha] L IH]; simpl; intros v v' H H' x.
- now rewrite H, H'.
- destruct H as (v1 & v2 & H1 & H2 & E), H' as (w1 & w2 & G1 & G2 & E').
  rewrite E, E', (partial_unique alpha u u v1 w1 (fun _ => eq_refl) H1 G1), (IH v2 w2 H2 G2). reflexivity.
Qed.

Lemma parity_gap n e : Nat.even n = Nat.even e -> sin (INR n * (PI / 2) - INR e * (PI / 2)) = 0.
Proof.
intros H.
assert (Hn : forall k, sin (INR k * PI) = 0).
{ intros k. replace (INR k * PI) with (0 + INR k * PI) by ring. induction k as [|k IH].
  - simpl. rewrite Rmult_0_l, Rplus_0_r. apply sin_0.
  - rewrite S_INR. replace (0 + (INR k + 1) * PI) with (0 + INR k * PI + PI) by ring. rewrite neg_sin, IH. ring. }
assert (Hc : exists k, (n = e + 2 * k \/ e = n + 2 * k)%nat).
{ destruct (Nat.le_ge_cases n e) as [Hle | Hle].
  - assert (Hev : Nat.Even (e - n)).
    { apply Nat.even_spec. rewrite Nat.even_sub by exact Hle. rewrite H. now destruct (Nat.even e). }
    destruct Hev as [k Hk]. exists k. lia.
  - assert (Hev : Nat.Even (n - e)).
    { apply Nat.even_spec. rewrite Nat.even_sub by exact Hle. rewrite H. now destruct (Nat.even e). }
    destruct Hev as [k Hk]. exists k. lia. }
destruct Hc as [k [-> | ->]]; rewrite plus_INR, mult_INR; simpl (INR 2).
- replace ((INR e + (1 + 1) * INR k) * (PI / 2) - INR e * (PI / 2)) with (INR k * PI) by field. apply Hn.
- replace (INR n * (PI / 2) - (INR n + (1 + 1) * INR k) * (PI / 2)) with (- (INR k * PI)) by field. rewrite sin_neg, Hn. ring.
Qed.

(** L sin(w . x + b) = symbol_operator(w) sin(w . x + b + e pi/2). *)
Lemma applied_sin d e L w b : of_parity d e L ->
  is_applied L (fun x => sin (dot d w x + b)) (fun x => symbol_operator e L w * sin (dot d w x + b + INR e * (PI / 2))).
Proof.
induction L as [|[a alpha] L IH]; intros HL; simpl.
- intros x. ring.
- destruct (HL a alpha (or_introl eq_refl)) as [Hpar Hdim].
  exists (fun x => monomial w alpha * sin (dot d w x + b + INR (length alpha) * (PI / 2))).
  exists (fun x => symbol_operator e L w * sin (dot d w x + b + INR e * (PI / 2))).
  split; [|split; [apply IH; intros a' alpha' Hin; apply (HL a'); now right|]].
  + apply (partial_ext alpha _ _ _ _ (fun x => Rmult_1_l _) (fun x => Rmult_1_l _) (partial_sin d w alpha b Hdim 1)).
  + intros x.
    replace (dot d w x + b + INR (length alpha) * (PI / 2))
      with (dot d w x + b + INR e * (PI / 2) + (INR (length alpha) * (PI / 2) - INR e * (PI / 2))) by ring.
    rewrite (sin_plus (dot d w x + b + INR e * (PI / 2))), (parity_gap _ e Hpar). ring.
Qed.

(** ** The difference of a feature *)

Lemma dot_shifted d w x h s : dot d w (shifted x h s) = dot d w x + dot d w (fun j => nth j s 0) * h.
Proof. unfold dot, shifted. induction d as [|d IH]; simpl; [ring|]. rewrite IH. ring. Qed.

Lemma apply_sin d D w b h x :
  apply_difference D h (fun y => sin (dot d w y + b)) x = wsum (projected d D w) (fun s => sin (dot d w x + b + s * h)).
Proof.
unfold projected. induction D as [|[s c] D IH]; simpl; [reflexivity|]. rewrite IH, dot_shifted. unfold node, weight; simpl.
f_equal. f_equal. f_equal. ring.
Qed.

Lemma projected_symmetric d e D w : symmetric_difference e D -> symmetric e (projected d D w).
Proof.
unfold symmetric_difference, symmetric, projected. intros H.
replace (reflect e (map (fun sc : list R * R => (dot d w (fun j => nth j (fst sc) 0), snd sc)) D))
  with (map (fun sc : list R * R => (dot d w (fun j => nth j (fst sc) 0), snd sc)) (mirror e D)).
- now apply Permutation_map.
- unfold mirror, reflect. rewrite !map_map. apply map_ext. intros [s c]. unfold node, weight; simpl. f_equal.
  unfold dot. induction d as [|d IH]; simpl; [ring|]. rewrite IH.
  replace (nth d (map Ropp s) 0) with (- nth d s 0); [ring|].
  replace 0 with (- 0) at 2 by ring. symmetry. apply map_nth.
Qed.

(** The factorisation: every d, every operator and symmetric difference of one parity e, sine and cosine features with
    any w in R^d and b, every point x and every h; v = L phi exists and L_h phi (x) = v(x) times the ratio of the symbols. *)
Theorem sine_factorisation_several sigma d e L D h w b : sigma = sin \/ sigma = cos ->
  of_parity d e L -> symmetric_difference e D ->
  symbol_operator e L w <> 0 \/ symbol_difference d e D h w = 0 ->
  exists v, is_applied L (fun x => sigma (dot d w x + b)) v /\
    forall x, apply_difference D h (fun y => sigma (dot d w y + b)) x
              = v x * (symbol_difference d e D h w / symbol_operator e L w).
Proof.
intros Hs HL HD Hw.
assert (Hsin : forall b, exists v, is_applied L (fun x => sin (dot d w x + b)) v /\
    forall x, apply_difference D h (fun y => sin (dot d w y + b)) x
              = v x * (symbol_difference d e D h w / symbol_operator e L w)).
{ intros b'. exists (fun x => symbol_operator e L w * sin (dot d w x + b' + INR e * (PI / 2))).
  split; [now apply applied_sin|]. intros x.
  rewrite apply_sin, (wsum_sin e) by now apply projected_symmetric.
  change (wsum (projected d D w) (fun s => cos (s * h - INR e * (PI / 2)))) with (symbol_difference d e D h w).
  destruct (Req_dec (symbol_operator e L w) 0) as [Hz | Hz].
  - destruct Hw as [Hw | Hw]; [contradiction|]. rewrite Hw. unfold Rdiv. ring.
  - field. exact Hz. }
destruct Hs as [-> | ->]; [apply Hsin|].
destruct (Hsin (b + PI / 2)) as (v & Hv & Hx). exists v.
assert (E : forall y, sin (dot d w y + (b + PI / 2)) = cos (dot d w y + b)).
{ intros y. rewrite cos_sin. f_equal. ring. }
split.
- exact (applied_ext L _ _ v E Hv).
- intros x. rewrite <- Hx. clear - E. induction D as [|[s c] D IH]; simpl; [reflexivity|]. now rewrite IH, E.
Qed.

(** An instance: the Laplacian of the plane and the five-point difference with step h (the weights carry 1 / h^2). *)
Definition laplacian : operator := [(1, [0; 0]%nat); (1, [1; 1]%nat)].
Definition five_points (h : R) : difference :=
  [([0; 0], -4 / h ^ 2); ([1; 0], 1 / h ^ 2); ([-1; 0], 1 / h ^ 2); ([0; 1], 1 / h ^ 2); ([0; -1], 1 / h ^ 2)].

Lemma five_points_instance h w :
  of_parity 2 0 laplacian /\ symmetric_difference 0 (five_points h) /\
  symbol_operator 0 laplacian w = - (w 0%nat ^ 2 + w 1%nat ^ 2).
Proof.
split; [|split].
- intros a alpha H. simpl in H. destruct H as [E | [E | []]]; injection E as <- <-; split; auto;
    intros i Hi; simpl in Hi; destruct Hi as [<- | [<- | []]]; lia.
- unfold symmetric_difference, mirror, five_points; simpl.
  replace (-0) with 0 by ring. replace (- (1)) with (-1) by ring. replace (- -1) with 1 by ring. rewrite !Rmult_1_l.
  apply perm_skip. apply (Permutation_trans (perm_swap _ _ _)). do 2 apply perm_skip. apply perm_swap.
- unfold laplacian; simpl symbol_operator. replace (INR (length [0; 0]%nat)) with 2 by (simpl; ring).
  simpl (INR 0). replace ((1 + 1) * (PI / 2) - 0 * (PI / 2)) with PI by field. rewrite cos_PI. ring.
Qed.
