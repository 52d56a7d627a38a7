(** * Compositions of differences, and the five-, nine- and thirteen-point differences

    The difference of a difference with the same step is a difference whose nodes are the sums and whose weights are the
    products; its symbol is the product of the symbols.  In the plane, the absolute weights of the three classical
    differences, each identified with the operator that defines it.  Classical. *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils SineFactorisation.
Import ListNotations.
Open Scope R_scope.

(** Nodes s_j + t_k with weights c_j d_k. *)
Definition compose (S T : stencil) : stencil :=
  flat_map (fun a => map (fun b => (node a + node b, weight a * weight b)) T) S.

Lemma wsum_map_shift a T f :
  wsum (map (fun b => (node a + node b, weight a * weight b)) T) f = weight a * wsum T (fun t => f (node a + t)).
Proof. induction T as [|b T IH]; simpl; [ring|]. rewrite IH. unfold node, weight; simpl. ring. Qed.

Lemma wsum_compose S T f : wsum (compose S T) f = wsum S (fun s => wsum T (fun t => f (s + t))).
Proof.
unfold compose. induction S as [|a S IH]; simpl; [reflexivity|]. now rewrite wsum_app, IH, wsum_map_shift.
Qed.

(** [compose] is the composition of the differences: for every u, x and h. *)
Theorem FD_compose m n S T h u x : FD m S h (FD n T h u) x = FD (m + n) (compose S T) h u x.
Proof.
unfold FD. rewrite wsum_compose, pow_add. unfold Rdiv. rewrite wsum_scal_r, Rinv_mult.
transitivity (wsum S (fun s => wsum T (fun t => u (x + s * h + t * h))) * (/ h ^ m * / h ^ n)); [ring|].
f_equal. apply wsum_ext_all; intros s. apply wsum_ext_all; intros t. f_equal. ring.
Qed.

Lemma wsumC_parts S theta :
  wsumC S (fun s => expi (s * theta)) = (wsum S (fun s => cos (s * theta)), wsum S (fun s => sin (s * theta))).
Proof.
induction S as [|a S IH]; simpl; [reflexivity|]. rewrite IH. apply injective_projections; simpl; ring.
Qed.

(** Symbols of compositions multiply: any stencils of real nodes and weights, any m and n, every theta <> 0. *)
Theorem symbol_compose m n S T theta : theta <> 0 ->
  symbolC (m + n) (compose S T) theta = (symbolC m S theta * symbolC n T theta)%C.
Proof.
intros Ht. unfold symbolC.
assert (Hpow : Cpower (Ci * RtoC theta)%C (m + n)%nat = (Cpower (Ci * RtoC theta)%C m * Cpower (Ci * RtoC theta)%C n)%C).
{ induction m as [|m IH]; simpl; [|rewrite IH]; ring. }
assert (Hz : Cmult Ci (RtoC theta) <> RtoC 0).
{ apply Cmult_neq_0; [exact Ci_neq_0|]. intros H. apply Ht. now apply RtoC_inj in H. }
assert (Hnum : wsumC (compose S T) (fun s => expi (s * theta))
               = (wsumC S (fun s => expi (s * theta)) * wsumC T (fun s => expi (s * theta)))%C).
{ rewrite !wsumC_parts, !wsum_compose. apply injective_projections; simpl.
  - rewrite <- !wsum_scal_r, <- wsum_minus. apply wsum_ext_all; intros s.
    rewrite <- !wsum_scal, <- wsum_minus. apply wsum_ext_all; intros t. rewrite Rmult_plus_distr_r. apply cos_plus.
  - rewrite <- !wsum_scal_r, <- wsum_plus. apply wsum_ext_all; intros s.
    rewrite <- !wsum_scal, <- wsum_plus. apply wsum_ext_all; intros t. rewrite Rmult_plus_distr_r, sin_plus. ring. }
rewrite Hpow, Hnum. field. split; apply Cpower_neq_0; exact Hz.
Qed.

(** ** The plane *)

Definition stencil2 := list (R * R * R).
Fixpoint wsum2 (S : stencil2) (f : R -> R -> R) : R :=
  match S with [] => 0 | (s, t, c) :: S' => c * f s t + wsum2 S' f end.
Definition norm1 (S : stencil2) : R := fold_right (fun c n => Rabs (snd c) + n) 0 S.

Definition five_point : stencil2 := [(0, 0, -4); (1, 0, 1); (-1, 0, 1); (0, 1, 1); (0, -1, 1)].
Definition nine_point : stencil2 :=
  [(0, 0, - (10 / 3)); (1, 0, 2 / 3); (-1, 0, 2 / 3); (0, 1, 2 / 3); (0, -1, 2 / 3);
   (1, 1, 1 / 6); (1, -1, 1 / 6); (-1, 1, 1 / 6); (-1, -1, 1 / 6)].
Definition thirteen_point : stencil2 :=
  [(0, 0, 20); (1, 0, -8); (-1, 0, -8); (0, 1, -8); (0, -1, -8); (1, 1, 2); (1, -1, 2); (-1, 1, 2); (-1, -1, 2);
   (2, 0, 1); (-2, 0, 1); (0, 2, 1); (0, -2, 1)].

(** Second differences in one variable, step 1 (a step h divides by h^2). *)
Definition dxx (u : R -> R -> R) (x y : R) : R := u (x + 1) y - 2 * u x y + u (x - 1) y.
Definition dyy (u : R -> R -> R) (x y : R) : R := u x (y + 1) - 2 * u x y + u x (y - 1).
Definition apply2 (S : stencil2) (u : R -> R -> R) (x y : R) : R := wsum2 S (fun s t => u (x + s) (y + t)).

Ltac open_apply2 :=
  unfold apply2, dxx, dyy, five_point, nine_point, thirteen_point, wsum2, Rminus;
  rewrite ?Rplus_0_r, ?Rplus_assoc; replace (1 + 1) with 2 by ring; replace (-1 + -1) with (-2) by ring;
  replace (- (1)) with (-1) by ring; replace (-1 + -1) with (-2) by ring; replace (1 + -1) with 0 by ring;
  replace (-1 + 1) with 0 by ring; rewrite ?Rplus_0_r.

(** The five points are the sum of the second differences, the nine points (Collatz) add a sixth of their product, and
    the thirteen points are the square of the five. *)
Theorem five_point_is u x y : apply2 five_point u x y = dxx u x y + dyy u x y.
Proof. open_apply2. ring. Qed.

Theorem nine_point_is u x y : apply2 nine_point u x y = dxx u x y + dyy u x y + dxx (dyy u) x y / 6.
Proof. open_apply2. field. Qed.

Theorem thirteen_point_is u x y : apply2 thirteen_point u x y = apply2 five_point (apply2 five_point u) x y.
Proof. open_apply2. ring. Qed.

(** Sums of the absolute weights. *)
Theorem weight_norms : norm1 five_point = 8 /\ norm1 nine_point = 20 / 3 /\ norm1 thirteen_point = 64.
Proof.
unfold norm1, five_point, nine_point, thirteen_point; simpl.
repeat split; unfold Rabs; repeat match goal with |- context [Rcase_abs ?x] => destruct (Rcase_abs x) end; lra.
Qed.
