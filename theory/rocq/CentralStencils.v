(** * The central stencils of adfd are standard: d^m/dx^m, m <= 4, orders 2, 4, 6 and 8

    The weights as the program computes them (exact solution of the moment equations); so the theorems on standard central
    stencils speak of them, and none of these is vacuous. *)
From Coq Require Import Reals List Lia Lra ZArith.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils SineFactorisation CentralSymbols.
Import ListNotations.
Open Scope R_scope.

Ltac integer_nodes :=
  intros sc H; simpl in H;
  repeat (destruct H as [<- | H]; [eexists; split; [reflexivity | vm_compute; discriminate] |]); destruct H.
Ltac moment_equations :=
  intros n H; simpl in H;
  do 13 (destruct n as [|n]; [try lia; unfold moment, wsum, node, weight; simpl; lra |]); lia.
Ltac standard := split; [lia | split; [lia | split; [apply Nat.even_spec; reflexivity | split; [integer_nodes | moment_equations]]]].

Lemma central_1_2 : standard_central 1 2
  [(-1, - (1 / 2)); (1, 1 / 2)].
Proof. standard. Qed.

Lemma central_1_4 : standard_central 1 4
  [(-2, 1 / 12); (-1, - (2 / 3)); (1, 2 / 3); (2, - (1 / 12))].
Proof. standard. Qed.

Lemma central_1_6 : standard_central 1 6
  [(-3, - (1 / 60)); (-2, 3 / 20); (-1, - (3 / 4)); (1, 3 / 4); (2, - (3 / 20)); (3, 1 / 60)].
Proof. standard. Qed.

Lemma central_1_8 : standard_central 1 8
  [(-4, 1 / 280); (-3, - (4 / 105)); (-2, 1 / 5); (-1, - (4 / 5)); (1, 4 / 5); (2, - (1 / 5)); (3, 4 / 105); (4, - (1 / 280))].
Proof. standard. Qed.

Lemma central_2_2 : standard_central 2 2
  [(-1, 1); (0, -2); (1, 1)].
Proof. standard. Qed.

Lemma central_2_4 : standard_central 2 4
  [(-2, - (1 / 12)); (-1, 4 / 3); (0, - (5 / 2)); (1, 4 / 3); (2, - (1 / 12))].
Proof. standard. Qed.

Lemma central_2_6 : standard_central 2 6
  [(-3, 1 / 90); (-2, - (3 / 20)); (-1, 3 / 2); (0, - (49 / 18)); (1, 3 / 2); (2, - (3 / 20)); (3, 1 / 90)].
Proof. standard. Qed.

Lemma central_2_8 : standard_central 2 8
  [(-4, - (1 / 560)); (-3, 8 / 315); (-2, - (1 / 5)); (-1, 8 / 5); (0, - (205 / 72)); (1, 8 / 5); (2, - (1 / 5)); (3, 8 / 315); (4, - (1 / 560))].
Proof. standard. Qed.

Lemma central_3_2 : standard_central 3 2
  [(-2, - (1 / 2)); (-1, 1); (1, - (1)); (2, 1 / 2)].
Proof. standard. Qed.

Lemma central_3_4 : standard_central 3 4
  [(-3, 1 / 8); (-2, - (1)); (-1, 13 / 8); (1, - (13 / 8)); (2, 1); (3, - (1 / 8))].
Proof. standard. Qed.

Lemma central_3_6 : standard_central 3 6
  [(-4, - (7 / 240)); (-3, 3 / 10); (-2, - (169 / 120)); (-1, 61 / 30); (1, - (61 / 30)); (2, 169 / 120); (3, - (3 / 10)); (4, 7 / 240)].
Proof. standard. Qed.

Lemma central_3_8 : standard_central 3 8
  [(-5, 41 / 6048); (-4, - (1261 / 15120)); (-3, 541 / 1120); (-2, - (4369 / 2520)); (-1, 1669 / 720); (1, - (1669 / 720)); (2, 4369 / 2520); (3, - (541 / 1120)); (4, 1261 / 15120); (5, - (41 / 6048))].
Proof. standard. Qed.

Lemma central_4_2 : standard_central 4 2
  [(-2, 1); (-1, - (4)); (0, 6); (1, - (4)); (2, 1)].
Proof. standard. Qed.

Lemma central_4_4 : standard_central 4 4
  [(-3, - (1 / 6)); (-2, 2); (-1, - (13 / 2)); (0, 28 / 3); (1, - (13 / 2)); (2, 2); (3, - (1 / 6))].
Proof. standard. Qed.

Lemma central_4_6 : standard_central 4 6
  [(-4, 7 / 240); (-3, - (2 / 5)); (-2, 169 / 60); (-1, - (122 / 15)); (0, 91 / 8); (1, - (122 / 15)); (2, 169 / 60); (3, - (2 / 5)); (4, 7 / 240)].
Proof. standard. Qed.

Lemma central_4_8 : standard_central 4 8
  [(-5, - (41 / 7560)); (-4, 1261 / 15120); (-3, - (541 / 840)); (-2, 4369 / 1260); (-1, - (1669 / 180)); (0, 1529 / 120); (1, - (1669 / 180)); (2, 4369 / 1260); (3, - (541 / 840)); (4, 1261 / 15120); (5, - (41 / 7560))].
Proof. standard. Qed.

