(** * Finite differences of exponential features: the factor of the order that reverses

    A difference of exp(w x + b) is its m-th derivative times  (sum_k c_k e^{s_k h w}) / (h w)^m,  the symbol on the
    imaginary axis.  For the central second difference of order 2 this is (sinh(h w / 2) / (h w / 2))^2 >= 1, so that
    FD lies over AD; for the one of order 4 it is not: 0.745 at h w = 2.  The argument is elementary. *)
From Coq Require Import Reals List Lia Lra.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From adfd Require Import Stencils CentralSymbols.
Import ListNotations.
Open Scope R_scope.

Definition exp_symbol (m : nat) (S : stencil) (t : R) : R := wsum S (fun s => exp (s * t)) / t ^ m.

Lemma Derive_n_exp m w b x : is_derive_n (fun y => exp (w * y + b)) m x (w ^ m * exp (w * x + b)).
Proof.
revert x; induction m as [|m IH]; intros x.
- simpl. rewrite Rmult_1_l. reflexivity.
- apply (is_derive_ext (fun y => w ^ m * exp (w * y + b))).
  { intros y. symmetry. apply is_derive_n_unique, IH. }
  auto_derive; [exact I | simpl; ring].
Qed.

(** The factorisation of exponential features: any stencil, symmetric or not, any m, w, b, x and h <> 0; w = 0 if the
    weights sum to zero and m >= 1. *)
Theorem FD_exp m S h w b x : h <> 0 -> w <> 0 \/ (moment S 0 = 0 /\ (1 <= m)%nat) ->
  FD m S h (fun y => exp (w * y + b)) x = exp_symbol m S (h * w) * Derive_n (fun y => exp (w * y + b)) m x.
Proof.
intros Hh Hw. rewrite (is_derive_n_unique _ _ _ _ (Derive_n_exp m w b x)). unfold FD, exp_symbol.
rewrite (wsum_ext_all S _ (fun s => exp (s * (h * w)) * exp (w * x + b))).
2: { intros s. rewrite <- exp_plus. f_equal. ring. }
rewrite wsum_scal_r. assert (Hp : h ^ m <> 0) by now apply pow_nonzero.
destruct (Req_dec w 0) as [W | W].
- subst w. destruct Hw as [Hw | [Hw Hm]]; [now elim Hw |].
  rewrite (wsum_ext_all S _ (fun _ => 1)).
  2: { intros s. rewrite <- exp_0. f_equal. ring. }
  rewrite wsum_const, Hw, (pow_ne_zero m) by lia. unfold Rdiv. ring.
- assert (Hq : w ^ m <> 0) by now apply pow_nonzero. rewrite Rpow_mult_distr. field. now split.
Qed.

Definition second_difference : stencil := [(-1, 1); (0, -2); (1, 1)].
Definition second_difference_4 : stencil := [(-2, - (1 / 12)); (-1, 4 / 3); (0, - (5 / 2)); (1, 4 / 3); (2, - (1 / 12))].

(** The central second difference of order 2: the factor is sinhc^2. *)
Lemma exp_symbol_second t : t <> 0 -> exp_symbol 2 second_difference t = (sinh (t / 2) / (t / 2)) ^ 2.
Proof.
intros Ht. unfold exp_symbol, second_difference, wsum, node, weight, sinh; simpl.
replace (-1 * t) with (- (t / 2) + - (t / 2)) by field. replace (1 * t) with (t / 2 + t / 2) by field.
rewrite !exp_plus, exp_Ropp, Rmult_0_l, exp_0. field. split; [apply Rgt_not_eq, exp_pos | exact Ht].
Qed.

(** It is at least 1: the order of AD and FD reverses. *)
Theorem exp_symbol_second_ge_1 t : t <> 0 -> 1 <= exp_symbol 2 second_difference t.
Proof.
intros Ht. assert (Hsq : 0 < t ^ 2) by (rewrite <- Rsqr_pow2; now apply Rsqr_pos_lt).
unfold exp_symbol. apply Rle_div_r; [exact Hsq|]. rewrite Rmult_1_l.
unfold second_difference, wsum, node, weight; simpl. rewrite Rmult_0_l, exp_0.
assert (Hmain : forall x, 0 <= x -> 0 <= exp x + exp (- x) - 2 - x * x).
{ intros x Hx.
  apply (nonneg_by_convexity (fun x => exp x + exp (- x) - 2 - x * x) (fun x => exp x - exp (- x) - 2 * x)
           (fun x => exp x + exp (- x) - 2) x); [| | | | |lra].
  - intros y. auto_derive; [exact I | ring].
  - intros y. auto_derive; [exact I | ring].
  - rewrite Ropp_0, exp_0. ring.
  - rewrite Ropp_0, exp_0. ring.
  - intros y _. rewrite exp_Ropp. pose proof (exp_pos y) as He.
    replace (exp y + / exp y - 2) with ((exp y - 1) * (exp y - 1) / exp y) by (field; lra).
    apply Rdiv_le_0_compat; [apply Rle_0_sqr | exact He]. }
destruct (Rle_dec 0 t) as [H | H].
- pose proof (Hmain t H) as E. replace (-1 * t) with (- t) by ring. replace (1 * t) with t by ring. lra.
- pose proof (Hmain (- t) ltac:(lra)) as E. rewrite Ropp_involutive in E.
  replace (-1 * t) with (- t) by ring. replace (1 * t) with t by ring. lra.
Qed.

(** For the central second difference of order 4 it fails: the factor is 0.745 at h w = 2. *)
Theorem exp_symbol_order_4 : 0.7445 <= exp_symbol 2 second_difference_4 2 <= 0.7455.
Proof. unfold exp_symbol, second_difference_4, wsum, node, weight; simpl. interval with (i_prec 60). Qed.
