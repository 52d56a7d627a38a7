(** * Finite differences with arbitrary real nodes and weights

    A stencil is a finite list of pairs (node s_k, weight c_k), in any order, equally spaced or not,
    one-sided or not, with repeated nodes if one likes.  Its difference of the m-th derivative with step h is
      D_h u (x) = (sum_k c_k u (x + s_k h)) / h^m.
    Everything here is elementary; the notation is that of any textbook on finite differences. *)
From Coq Require Import Reals List Lia Lra Permutation.
From Coquelicot Require Import Coquelicot.
Import ListNotations.
Open Scope R_scope.

Definition stencil := list (R * R).
Definition node (sc : R * R) : R := fst sc.
Definition weight (sc : R * R) : R := snd sc.

(** The weighted sum  sum_k c_k f (s_k). *)
Fixpoint wsum (S : stencil) (f : R -> R) : R :=
  match S with
  | [] => 0
  | sc :: S' => weight sc * f (node sc) + wsum S' f
  end.

(** The finite difference of the m-th derivative. *)
Definition FD (m : nat) (S : stencil) (h : R) (u : R -> R) (x : R) : R := wsum S (fun s => u (x + s * h)) / h ^ m.

(** The n-th moment  sum_k c_k s_k^n. *)
Definition moment (S : stencil) (n : nat) : R := wsum S (fun s => s ^ n).

(** The moment equations: the difference is exact for polynomials of degree below m + p, that is, of order p at least. *)
Definition order_conditions (m p : nat) (S : stencil) : Prop :=
  forall n, (n < m + p)%nat -> moment S n = if Nat.eqb n m then INR (fact m) else 0.

(** Reflection of the nodes, with the sign (-1)^m of the parity. *)
Definition reflect (m : nat) (S : stencil) : stencil := map (fun sc => (- node sc, (-1) ^ m * weight sc)) S.

(** A symmetric stencil of the parity of m: the nodes come in pairs s, -s with weights c and (-1)^m c. *)
Definition symmetric (m : nat) (S : stencil) : Prop := Permutation S (reflect m S).

(** ** Rules for weighted sums *)

Lemma wsum_ext S f g : (forall s, In s (map node S) -> f s = g s) -> wsum S f = wsum S g.
Proof.
induction S as [|sc S IH]; simpl; intros H; auto.
rewrite H by (now left). rewrite IH; auto.
Qed.

Lemma wsum_ext_all S f g : (forall s, f s = g s) -> wsum S f = wsum S g.
Proof. intros H; apply wsum_ext; auto. Qed.

Lemma wsum_plus S f g : wsum S (fun s => f s + g s) = wsum S f + wsum S g.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma wsum_minus S f g : wsum S (fun s => f s - g s) = wsum S f - wsum S g.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma wsum_scal S a f : wsum S (fun s => a * f s) = a * wsum S f.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma wsum_scal_r S a f : wsum S (fun s => f s * a) = wsum S f * a.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma wsum_zero S : wsum S (fun _ => 0) = 0.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma wsum_const S a : wsum S (fun _ => a) = moment S 0 * a.
Proof. unfold moment; induction S as [|sc S IH]; simpl; [|rewrite IH]; simpl; ring. Qed.

Lemma wsum_sum_n S n (f : nat -> R -> R) :
  wsum S (fun s => sum_n (fun j => f j s) n) = sum_n (fun j => wsum S (f j)) n.
Proof.
induction n as [|n IH].
- rewrite sum_O. apply wsum_ext_all; intros; now rewrite sum_O.
- rewrite sum_Sn, <- IH. unfold plus; simpl. rewrite <- wsum_plus.
  apply wsum_ext_all; intros; now rewrite sum_Sn.
Qed.

Lemma wsum_app S T f : wsum (S ++ T) f = wsum S f + wsum T f.
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma wsum_permutation S T f : Permutation S T -> wsum S f = wsum T f.
Proof. induction 1; simpl; lra. Qed.

Lemma wsum_reflect m S f : wsum (reflect m S) f = (-1) ^ m * wsum S (fun s => f (- s)).
Proof. induction S as [|sc S IH]; simpl; [|rewrite IH]; unfold node, weight; simpl; ring. Qed.

Lemma wsum_symmetric m S f : symmetric m S -> wsum S f = (-1) ^ m * wsum S (fun s => f (- s)).
Proof. intros H. rewrite <- wsum_reflect. now apply wsum_permutation. Qed.

(** Order conditions of order at least 1 with m >= 1 make the weights sum to zero. *)
Lemma order_conditions_sum m p S : (1 <= m)%nat -> order_conditions m p S -> moment S 0 = 0.
Proof. intros Hm H. rewrite H by lia. destruct m; simpl; [lia | reflexivity]. Qed.
