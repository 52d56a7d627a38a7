(** * How far three differences of higher order are from an average: the integral of |K|

    The Peano kernels of these differences are piecewise linear or constant; their modulus is integrated piece by piece. *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils CentralSymbols CentralStencils BSplines OneSidedSymbols Peano ExponentialFeatures.
Import ListNotations.
Open Scope R_scope.

(** A piece on which the function is linear. *)
Lemma linear_piece (f : R -> R) c0 c1 a b : a <= b -> (forall t, a < t < b -> f t = c0 + c1 * t) ->
  is_RInt f a b (c0 * (b - a) + c1 * (b * b - a * a) / 2).
Proof.
intros Hab Hf.
apply (is_RInt_ext (fun t => c0 + c1 * t)).
{ intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. symmetry. now apply Hf. }
replace (c0 * (b - a) + c1 * (b * b - a * a) / 2) with (minus (c0 * b + c1 * (b * b) / 2) (c0 * a + c1 * (a * a) / 2)).
2: { unfold minus, plus, opp; simpl. field. }
apply (is_RInt_derive (fun t => c0 * t + c1 * (t * t) / 2)).
- intros t _. auto_derive; [exact I | field].
- intros t _. apply (ex_derive_continuous (fun t => c0 + c1 * t)). auto_derive. exact I.
Qed.

Lemma join (f : R -> R) a b c u v w : is_RInt f a b u -> is_RInt f b c v -> u + v = w -> is_RInt f a c w.
Proof. intros H1 H2 <-. exact (is_RInt_Chasles f a b c u v H1 H2). Qed.

(** On a piece where every comparison of t with the nodes and the sign of K are known. *)
Ltac piece :=
  let t := fresh "t" in let Ht := fresh "Ht" in
  apply linear_piece; [lra | intros t Ht; unfold peano, forward_1_2, forward_2_2, second_difference_4, wsum, node, weight, plus_power;
    simpl; repeat match goal with |- context [Rlt_dec ?x ?y] => destruct (Rlt_dec x y); [try lra | try lra] end;
    first [rewrite Rabs_pos_eq by lra; lra | rewrite Rabs_left1 by lra; lra]].

(** The forward difference of d/dx of order 2: 2. *)
Theorem average_norm_forward_1_2 : is_RInt (fun t => Rabs (peano 1 forward_1_2 t)) 0 2 2.
Proof.
apply (join _ 0 1 2 (3 / 2 * (1 - 0) + 0 * (1 * 1 - 0 * 0) / 2) (1 / 2 * (2 - 1) + 0 * (2 * 2 - 1 * 1) / 2)); [piece | piece | lra].
Qed.

(** That of d^2/dx^2 of order 2: 7/3. *)
Theorem average_norm_forward_2_2 : is_RInt (fun t => Rabs (peano 2 forward_2_2 t)) 0 3 (7 / 3).
Proof.
apply (join _ 0 1 3 (0 * (1 - 0) + 2 * (1 * 1 - 0 * 0) / 2) (4 / 3)); [piece | | lra].
apply (join _ 1 (5 / 3) 3 (5 * (5 / 3 - 1) + -3 * (5 / 3 * (5 / 3) - 1 * 1) / 2) (2 / 3)); [piece | | lra].
apply (join _ (5 / 3) 2 3 (-5 * (2 - 5 / 3) + 3 * (2 * 2 - 5 / 3 * (5 / 3)) / 2) (3 * (3 - 2) + -1 * (3 * 3 - 2 * 2) / 2));
  [piece | piece | lra].
Qed.

(** The central difference of d^2/dx^2 of order 4: 53/45. *)
Theorem average_norm_central_2_4 : is_RInt (fun t => Rabs (peano 2 second_difference_4 t)) (-2) 2 (53 / 45).
Proof.
apply (join _ (-2) (-1) 2 (1 / 6 * (-1 - -2) + 1 / 12 * (-1 * -1 - -2 * -2) / 2) (53 / 45 - 1 / 24)); [piece | | lra].
apply (join _ (-1) (- (14 / 15)) 2
         (- (7 / 6) * (- (14 / 15) - -1) + - (5 / 4) * (- (14 / 15) * - (14 / 15) - -1 * -1) / 2) (53 / 45 - 1 / 24 - 1 / 360)); [piece | | lra].
apply (join _ (- (14 / 15)) 0 2
         (7 / 6 * (0 - - (14 / 15)) + 5 / 4 * (0 * 0 - - (14 / 15) * - (14 / 15)) / 2) (53 / 90)); [piece | | lra].
apply (join _ 0 (14 / 15) 2
         (7 / 6 * (14 / 15 - 0) + - (5 / 4) * (14 / 15 * (14 / 15) - 0 * 0) / 2) (1 / 24 + 1 / 360)); [piece | | lra].
apply (join _ (14 / 15) 1 2
         (- (7 / 6) * (1 - 14 / 15) + 5 / 4 * (1 * 1 - 14 / 15 * (14 / 15)) / 2)
         (1 / 6 * (2 - 1) + - (1 / 12) * (2 * 2 - 1 * 1) / 2)); [piece | piece | lra].
Qed.

(** These are the integrals over the whole line: the kernels vanish outside the hull of the nodes. *)
Theorem average_norms_outside t :
  (t < 0 \/ 2 < t -> peano 1 forward_1_2 t = 0) /\ (t < 0 \/ 3 < t -> peano 2 forward_2_2 t = 0)
  /\ (t < -2 \/ 2 < t -> peano 2 second_difference_4 t = 0).
Proof.
split; [|split]; intros Ht.
- apply (peano_outside 1 2 _ 0 2); [lia | apply forward_orders | | exact Ht].
  intros sc H. simpl in H. repeat (destruct H as [<- | H]; [simpl; lra|]). destruct H.
- apply (peano_outside 2 2 _ 0 3); [lia | apply forward_orders | | exact Ht].
  intros sc H. simpl in H. repeat (destruct H as [<- | H]; [simpl; lra|]). destruct H.
- apply (peano_outside 2 4 _ (-2) 2); [lia | apply central_2_4 | | exact Ht].
  intros sc H. simpl in H. repeat (destruct H as [<- | H]; [simpl; lra|]). destruct H.
Qed.
