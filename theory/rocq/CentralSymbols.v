(** * Symbols of the standard central stencils: |m| <= 1 on the real line and 0 <= m <= 1 on (0, pi], every m and every order

    The standard central stencil of d^m/dx^m of the even order p has the integer nodes -r, ..., r,
    r = floor((m + 1) / 2) - 1 + p / 2, and the weights that satisfy the moment equations.  With y = sin^2(theta / 2)
      cos k theta = sum_j (-4 y)^j / (2 j)!  k^2 (k^2 - 1) ... (k^2 - (j - 1)^2),
      sin k theta = sin theta  sum_j (-4 y)^j / (2 j + 1)!  k (k^2 - 1) ... (k^2 - j^2),
    so that the moment equations alone turn  theta^m m(theta)  into a polynomial in y (times sin theta for odd m) whose
    coefficients are non-negative by their recurrence: the truncated power series of theta^m.  Its second derivative in
    theta is that of theta^m, with m - 2 in the place of m, less a non-negative last term, and induction over m gives
    the upper bound.  Neither convergence of a series nor the inversion of a Vandermonde matrix is needed. *)
From Coq Require Import Reals List Lia Lra ZArith.
From Coquelicot Require Import Coquelicot.
From adfd Require Import Stencils SineFactorisation MultipleAngles.
Import ListNotations.
Open Scope R_scope.

(** ** The stencils *)

Definition central_radius (m p : nat) : nat := ((m + 1) / 2 + p / 2 - 1)%nat.

(** The standard central stencil of d^m/dx^m of order p: integer nodes between -r and r and the moment equations
    (which determine the weights, as 2 r + 1 <= m + p). *)
Definition standard_central (m p : nat) (S : stencil) : Prop :=
  (1 <= m)%nat /\ (1 <= p)%nat /\ Nat.Even p /\
  (forall sc, In sc S -> exists k : Z, node sc = IZR k /\ (Z.abs k <= Z.of_nat (central_radius m p))%Z) /\
  order_conditions m p S.

(** ** The coefficients: non-negative by their recurrences *)

(** Even m = 2 n: the polynomial in y begins the power series of theta^(2 n) = (2 arcsin(sqrt y))^(2 n). *)
Fixpoint even_coefficient (n j : nat) : R :=
  match j with
  | O => match n with O => 1 | S _ => 0 end
  | S i => (match n with O => 0 | S n' => 2 * INR n * (2 * INR n - 1) * even_coefficient n' i end
            + INR i * INR i * even_coefficient n i) * 4 / ((2 * INR i + 1) * (2 * INR i + 2))
  end.

(** Odd m = 2 n + 1: it begins that of theta^(2 n + 1) / sin theta. *)
Fixpoint odd_coefficient (n j : nat) : R :=
  match j with
  | O => match n with O => 1 | S _ => 0 end
  | S i => (match n with O => 0 | S n' => 2 * INR n * (2 * INR n + 1) * odd_coefficient n' i end
            + (INR i + 1) * (INR i + 1) * odd_coefficient n i) * 4 / ((2 * INR i + 2) * (2 * INR i + 3))
  end.

Lemma even_coefficient_nonneg j : forall n, 0 <= even_coefficient n j.
Proof.
induction j as [|j IH]; intros n.
- destruct n; simpl; lra.
- cbn [even_coefficient]. pose proof (pos_INR j) as Hj.
  apply Rdiv_le_0_compat; [|apply Rmult_lt_0_compat; lra]. apply Rmult_le_pos; [|lra].
  apply Rplus_le_le_0_compat.
  + destruct n as [|n]; [lra|]. rewrite S_INR. pose proof (pos_INR n).
    apply Rmult_le_pos; [|apply IH]. apply Rmult_le_pos; lra.
  + apply Rmult_le_pos; [|apply IH]. apply Rmult_le_pos; lra.
Qed.

Lemma odd_coefficient_nonneg j : forall n, 0 <= odd_coefficient n j.
Proof.
induction j as [|j IH]; intros n.
- destruct n; simpl; lra.
- cbn [odd_coefficient]. pose proof (pos_INR j) as Hj.
  apply Rdiv_le_0_compat; [|apply Rmult_lt_0_compat; lra]. apply Rmult_le_pos; [|lra].
  apply Rplus_le_le_0_compat.
  + destruct n as [|n]; [lra|]. rewrite S_INR. pose proof (pos_INR n).
    apply Rmult_le_pos; [|apply IH]. apply Rmult_le_pos; lra.
  + apply Rmult_le_pos; [|apply IH]. apply Rmult_le_pos; lra.
Qed.

Definition even_part (n N : nat) (theta : R) : R := psum (fun j => even_coefficient n j * y_of theta ^ j) N.
Definition odd_part (n N : nat) (theta : R) : R := sin theta * psum (fun j => odd_coefficient n j * y_of theta ^ j) N.

(** ** Their derivatives *)

Lemma sin_square_y theta : sin theta * sin theta = 4 * y_of theta * (1 - y_of theta).
Proof.
unfold y_of. pose proof (sin2_cos2 (theta / 2)) as H. unfold Rsqr in H.
replace theta with (2 * (theta / 2)) at 1 2 by field. rewrite sin_2a.
replace (1 - sin (theta / 2) * sin (theta / 2)) with (cos (theta / 2) * cos (theta / 2)) by lra. ring.
Qed.

Lemma is_derive_y theta : is_derive y_of theta (sin theta / 2).
Proof.
unfold y_of. auto_derive; [exact I|].
replace (sin theta) with (sin (2 * (theta / 2))) by (f_equal; field). rewrite sin_2a. unfold Rdiv. field.
Qed.

Lemma is_derive_y_pow j theta : is_derive (fun t => y_of t ^ j) theta (INR j * (sin theta / 2) * y_of theta ^ pred j).
Proof. exact (is_derive_pow y_of j theta _ (is_derive_y theta)). Qed.

Lemma y_pow_pred j y : INR j * y ^ pred j * y = INR j * y ^ j.
Proof. destruct j as [|j]; [simpl; ring|]. simpl pred. simpl pow. ring. Qed.

(** (y^j)' = (j / 2) y^(j-1) sin theta,  (y^j)'' = j (j - 1/2) y^(j-1) - j^2 y^j. *)
Lemma even_first a N theta :
  is_derive (fun t => psum (fun j => a j * y_of t ^ j) N) theta
    (psum (fun j => a j * (INR j / 2 * y_of theta ^ pred j * sin theta)) N).
Proof.
apply is_derive_psum. intros j _.
replace (a j * (INR j / 2 * y_of theta ^ pred j * sin theta))
  with (a j * (INR j * (sin theta / 2) * y_of theta ^ pred j)) by field.
apply (is_derive_scal (fun t => y_of t ^ j)), is_derive_y_pow.
Qed.

Lemma even_second a N theta :
  is_derive (fun t => psum (fun j => a j * (INR j / 2 * y_of t ^ pred j * sin t)) N) theta
    (psum (fun j => a j * (INR j * (INR j - 1 / 2) * y_of theta ^ pred j - INR j * INR j * y_of theta ^ j)) N).
Proof.
apply is_derive_psum. intros j _. apply is_derive_scal.
destruct j as [|i].
- apply (is_derive_ext (fun _ => 0)). { intros t; simpl; field. }
  replace (INR 0 * (INR 0 - 1 / 2) * y_of theta ^ pred 0 - INR 0 * INR 0 * y_of theta ^ 0) with 0 by (simpl; field).
  exact (is_derive_const 0 theta).
- simpl pred.
  apply (is_derive_ext (fun t => INR (S i) / 2 * (y_of t ^ i * sin t))). { intros t. symmetry; apply Rmult_assoc. }
  replace (INR (S i) * (INR (S i) - 1 / 2) * y_of theta ^ i - INR (S i) * INR (S i) * y_of theta ^ S i)
    with (INR (S i) / 2 * (INR i * (sin theta / 2) * y_of theta ^ pred i * sin theta + y_of theta ^ i * cos theta)).
  + apply is_derive_scal.
    apply (is_derive_mult (fun t => y_of t ^ i) sin theta (INR i * (sin theta / 2) * y_of theta ^ pred i) (cos theta)).
    * apply is_derive_y_pow.
    * apply is_derive_sin.
    * intros u v. apply Rmult_comm.
  + rewrite cos_y, S_INR.
    replace (INR i * (sin theta / 2) * y_of theta ^ pred i * sin theta)
      with (INR i * y_of theta ^ pred i * (sin theta * sin theta) / 2) by field.
    rewrite sin_square_y.
    replace (INR i * y_of theta ^ pred i * (4 * y_of theta * (1 - y_of theta)) / 2)
      with (2 * (INR i * y_of theta ^ pred i * y_of theta) * (1 - y_of theta)) by field.
    rewrite y_pow_pred. simpl pow. field.
Qed.

(** (sin theta y^j)' = (2 j + 1) y^j - 2 (j + 1) y^(j+1). *)
Lemma odd_first a N theta :
  is_derive (fun t => sin t * psum (fun j => a j * y_of t ^ j) N) theta
    (psum (fun j => a j * ((2 * INR j + 1) * y_of theta ^ j - 2 * (INR j + 1) * y_of theta ^ S j)) N).
Proof.
apply (is_derive_ext (fun t => psum (fun j => a j * (sin t * y_of t ^ j)) N)).
{ intros t. rewrite <- psum_scal. apply psum_ext. intros j _. ring. }
apply is_derive_psum. intros j _. apply is_derive_scal.
replace ((2 * INR j + 1) * y_of theta ^ j - 2 * (INR j + 1) * y_of theta ^ S j)
  with (cos theta * y_of theta ^ j + sin theta * (INR j * (sin theta / 2) * y_of theta ^ pred j)).
- apply (is_derive_mult sin (fun t => y_of t ^ j) theta (cos theta) (INR j * (sin theta / 2) * y_of theta ^ pred j)).
  + apply is_derive_sin.
  + apply is_derive_y_pow.
  + intros u v. apply Rmult_comm.
- rewrite cos_y.
  replace (sin theta * (INR j * (sin theta / 2) * y_of theta ^ pred j))
    with (INR j * y_of theta ^ pred j * (sin theta * sin theta) / 2) by field.
  rewrite sin_square_y.
  replace (INR j * y_of theta ^ pred j * (4 * y_of theta * (1 - y_of theta)) / 2)
    with (2 * (INR j * y_of theta ^ pred j * y_of theta) * (1 - y_of theta)) by field.
  rewrite y_pow_pred. simpl pow. ring.
Qed.

Lemma odd_second a N theta :
  is_derive (fun t => psum (fun j => a j * ((2 * INR j + 1) * y_of t ^ j - 2 * (INR j + 1) * y_of t ^ S j)) N) theta
    (psum (fun j => a j * (((2 * INR j + 1) * INR j * y_of theta ^ pred j
                            - 2 * (INR j + 1) * (INR j + 1) * y_of theta ^ j) * (sin theta / 2))) N).
Proof.
apply is_derive_psum. intros j _. apply is_derive_scal.
replace (((2 * INR j + 1) * INR j * y_of theta ^ pred j - 2 * (INR j + 1) * (INR j + 1) * y_of theta ^ j) * (sin theta / 2))
  with ((2 * INR j + 1) * (INR j * (sin theta / 2) * y_of theta ^ pred j)
        - 2 * (INR j + 1) * (INR (S j) * (sin theta / 2) * y_of theta ^ pred (S j))).
2: { rewrite S_INR. simpl pred. ring. }
apply (is_derive_minus (fun t => (2 * INR j + 1) * y_of t ^ j) (fun t => 2 * (INR j + 1) * y_of t ^ S j) theta
         ((2 * INR j + 1) * (INR j * (sin theta / 2) * y_of theta ^ pred j))
         (2 * (INR j + 1) * (INR (S j) * (sin theta / 2) * y_of theta ^ pred (S j)))).
- apply is_derive_scal, is_derive_y_pow.
- apply is_derive_scal, is_derive_y_pow.
Qed.

(** The second derivatives in closed form: by the recurrence of the coefficients all but the last term telescope. *)
Lemma even_telescope n N y :
  psum (fun j => even_coefficient n j * (INR j * (INR j - 1 / 2) * y ^ pred j - INR j * INR j * y ^ j)) (S N)
  = match n with O => 0 | S n' => 2 * INR n * (2 * INR n - 1) * psum (fun j => even_coefficient n' j * y ^ j) N end
    - INR N * INR N * (even_coefficient n N * y ^ N).
Proof.
induction N as [|N IH].
- destruct n; simpl; field.
- change (psum ?f (S (S N))) with (psum f (S N) + f (S N)). rewrite IH. cbn [even_coefficient].
  pose proof (pos_INR N) as HN. rewrite !S_INR. simpl pred.
  destruct n as [|n']; simpl pow.
  + field. split; lra.
  + change (psum ?f (S N)) with (psum f N + f N). cbv beta. field. split; lra.
Qed.

Lemma odd_telescope n N y s :
  psum (fun j => odd_coefficient n j * (((2 * INR j + 1) * INR j * y ^ pred j - 2 * (INR j + 1) * (INR j + 1) * y ^ j) * (s / 2))) (S N)
  = match n with O => 0 | S n' => 2 * INR n * (2 * INR n + 1) * (s * psum (fun j => odd_coefficient n' j * y ^ j) N) end
    - (INR N + 1) * (INR N + 1) * (odd_coefficient n N * y ^ N) * s.
Proof.
induction N as [|N IH].
- destruct n; simpl; field.
- change (psum ?f (S (S N))) with (psum f (S N) + f (S N)). rewrite IH. cbn [odd_coefficient].
  pose proof (pos_INR N) as HN. rewrite !S_INR. simpl pred.
  destruct n as [|n']; simpl pow.
  + field. split; lra.
  + change (psum ?f (S N)) with (psum f N + f N). cbv beta. field. split; lra.
Qed.

(** ** The upper bounds, by convexity of the difference and induction over m *)

Lemma nonneg_by_derivative (f f' : R -> R) b : (forall x, is_derive f x (f' x)) -> f 0 = 0 ->
  (forall x, 0 <= x <= b -> 0 <= f' x) -> forall x, 0 <= x <= b -> 0 <= f x.
Proof.
intros Hf H0 Hp x Hx.
destruct (MVT_gen f 0 x f') as [c [Hc E]].
- intros t _. apply Hf.
- intros t _. apply continuity_pt_filterlim. apply (ex_derive_continuous f). eexists. apply Hf.
- rewrite Rmin_left, Rmax_right in Hc by lra. rewrite H0 in E.
  assert (0 <= f' c * (x - 0)) by (apply Rmult_le_pos; [apply Hp|]; lra). lra.
Qed.

Lemma nonneg_by_convexity (f f' f'' : R -> R) b : (forall x, is_derive f x (f' x)) -> (forall x, is_derive f' x (f'' x)) ->
  f 0 = 0 -> f' 0 = 0 -> (forall x, 0 <= x <= b -> 0 <= f'' x) -> forall x, 0 <= x <= b -> 0 <= f x.
Proof.
intros Hf Hf' H0 H0' Hp. apply (nonneg_by_derivative f f'); auto.
apply (nonneg_by_derivative f' f''); auto.
Qed.

Lemma is_derive_power m x : is_derive (fun t => t ^ m) x (INR m * x ^ pred m).
Proof.
replace (INR m * x ^ pred m) with (INR m * 1 * x ^ pred m) by ring.
apply (is_derive_pow (fun t => t) m x 1), (is_derive_id x).
Qed.

Lemma y_of_0 : y_of 0 = 0.
Proof. unfold y_of. replace (0 / 2) with 0 by field. rewrite sin_0. ring. Qed.

Lemma psum_at_0 a N : psum (fun j => a j * 0 ^ j) (S N) = a O.
Proof.
rewrite psum_shift, psum_zero; [simpl; ring|]. intros j _. rewrite pow_ne_zero by discriminate. ring.
Qed.

Lemma even_coefficient_0 j : even_coefficient 0 (S j) = 0.
Proof. induction j as [|j IH]; cbn [even_coefficient] in *; [simpl; field | rewrite IH; unfold Rdiv; ring]. Qed.

Lemma even_upper n : forall N theta, 0 <= theta -> even_part n N theta <= theta ^ (2 * n).
Proof.
induction n as [|n IH]; intros N theta Ht.
- unfold even_part. destruct N as [|N]; [simpl; lra|].
  rewrite psum_shift, psum_zero; [simpl; lra|]. intros j _. rewrite even_coefficient_0. ring.
- destruct N as [|N]; [unfold even_part; simpl psum; now apply pow_le|].
  apply Rminus_le_0.
  replace (2 * S n)%nat with (S (S (2 * n))) by lia.
  apply (nonneg_by_convexity
    (fun t => t ^ S (S (2 * n)) - even_part (S n) (S N) t)
    (fun t => INR (S (S (2 * n))) * t ^ S (2 * n)
              - psum (fun j => even_coefficient (S n) j * (INR j / 2 * y_of t ^ pred j * sin t)) (S N))
    (fun t => INR (S (S (2 * n))) * (INR (S (2 * n)) * t ^ (2 * n))
              - psum (fun j => even_coefficient (S n) j * (INR j * (INR j - 1 / 2) * y_of t ^ pred j - INR j * INR j * y_of t ^ j)) (S N))
    theta); [| | | | |lra].
  + intros t. apply (is_derive_minus (fun t => t ^ S (S (2 * n))) (even_part (S n) (S N))).
    * apply (is_derive_power (S (S (2 * n)))).
    * apply even_first.
  + intros t. apply (is_derive_minus (fun t => INR (S (S (2 * n))) * t ^ S (2 * n))).
    * apply is_derive_scal, (is_derive_power (S (2 * n))).
    * apply even_second.
  + unfold even_part. rewrite y_of_0, psum_at_0, pow_ne_zero by discriminate. cbn [even_coefficient]. ring.
  + rewrite pow_ne_zero by discriminate. rewrite sin_0, psum_zero; [ring|]. intros j _. ring.
  + intros t Htt. rewrite even_telescope.
    change (psum (fun j => even_coefficient n j * y_of t ^ j) N) with (even_part n N t).
    replace (INR (S (S (2 * n))) * (INR (S (2 * n)) * t ^ (2 * n)))
      with (2 * INR (S n) * (2 * INR (S n) - 1) * t ^ (2 * n)).
    2: { rewrite !S_INR, mult_INR. simpl (INR 2). ring. }
    pose proof (IH N t (proj1 Htt)) as H1. pose proof (pos_INR n) as Hn.
    assert (H2 : 0 <= 2 * INR (S n) * (2 * INR (S n) - 1)) by (rewrite S_INR; apply Rmult_le_pos; lra).
    assert (H3 : 0 <= 2 * INR (S n) * (2 * INR (S n) - 1) * (t ^ (2 * n) - even_part n N t)) by (apply Rmult_le_pos; lra).
    assert (H4 : 0 <= INR N * INR N * (even_coefficient (S n) N * y_of t ^ N)).
    { apply Rmult_le_pos; [apply Rle_0_sqr|]. apply Rmult_le_pos; [apply even_coefficient_nonneg | apply pow_le, y_nonneg]. }
    lra.
Qed.

Lemma even_lower n N theta : 0 <= even_part n N theta.
Proof.
apply psum_nonneg. intros j _. apply Rmult_le_pos; [apply even_coefficient_nonneg | apply pow_le, y_nonneg].
Qed.

Lemma odd_upper n : forall N theta, 0 <= theta <= PI -> odd_part n N theta <= theta ^ (2 * n + 1).
Proof.
assert (Hlast : forall n N t, 0 <= t <= PI -> 0 <= (INR N + 1) * (INR N + 1) * (odd_coefficient n N * y_of t ^ N) * sin t).
{ intros n' N t Ht. apply Rmult_le_pos; [|apply sin_ge_0; lra]. apply Rmult_le_pos; [apply Rle_0_sqr|].
  apply Rmult_le_pos; [apply odd_coefficient_nonneg | apply pow_le, y_nonneg]. }
assert (Hd1 : forall n N t, is_derive (fun t => t ^ (2 * n + 1) - odd_part n N t) t
  (INR (2 * n + 1) * t ^ (2 * n)
   - psum (fun j => odd_coefficient n j * ((2 * INR j + 1) * y_of t ^ j - 2 * (INR j + 1) * y_of t ^ S j)) N)).
{ intros n' N t. apply (is_derive_minus (fun t => t ^ (2 * n' + 1)) (odd_part n' N)).
  - replace (2 * n')%nat with (pred (2 * n' + 1)) at 2 by lia. apply is_derive_power.
  - apply odd_first. }
assert (Hd2 : forall n N t, is_derive (fun t => INR (2 * n + 1) * t ^ (2 * n)
   - psum (fun j => odd_coefficient n j * ((2 * INR j + 1) * y_of t ^ j - 2 * (INR j + 1) * y_of t ^ S j)) N) t
  (INR (2 * n + 1) * (INR (2 * n) * t ^ pred (2 * n))
   - psum (fun j => odd_coefficient n j * (((2 * INR j + 1) * INR j * y_of t ^ pred j
                            - 2 * (INR j + 1) * (INR j + 1) * y_of t ^ j) * (sin t / 2))) N)).
{ intros n' N t. apply (is_derive_minus (fun t => INR (2 * n' + 1) * t ^ (2 * n'))).
  - apply is_derive_scal, is_derive_power.
  - apply odd_second. }
induction n as [|n IH]; intros N theta Ht.
- destruct N as [|N]; [unfold odd_part; simpl psum; rewrite Rmult_0_r; now apply pow_le|].
  apply Rminus_le_0.
  refine (nonneg_by_convexity _ _ _ theta (Hd1 O (S N)) (Hd2 O (S N)) _ _ _ theta _); [| | |lra].
  + unfold odd_part. rewrite sin_0. simpl. ring.
  + rewrite y_of_0.
    rewrite (psum_ext _ (fun j => odd_coefficient 0 j * (2 * INR j + 1) * 0 ^ j)).
    2: { intros j _. simpl. ring. }
    rewrite psum_at_0. simpl. ring.
  + intros t Htt. rewrite odd_telescope. pose proof (Hlast O N t ltac:(lra)) as H.
    replace (INR (2 * 0)) with 0 by reflexivity. lra.
- destruct N as [|N]; [unfold odd_part; simpl psum; rewrite Rmult_0_r; now apply pow_le|].
  apply Rminus_le_0.
  refine (nonneg_by_convexity _ _ _ theta (Hd1 (S n) (S N)) (Hd2 (S n) (S N)) _ _ _ theta _); [| | |lra].
  + unfold odd_part. rewrite sin_0, pow_ne_zero by lia. ring.
  + rewrite y_of_0, (psum_ext _ (fun j => odd_coefficient (S n) j * (2 * INR j + 1) * 0 ^ j)).
    2: { intros j _. simpl pow. ring. }
    rewrite psum_at_0, pow_ne_zero by lia. cbn [odd_coefficient]. ring.
  + intros t Htt. rewrite odd_telescope.
    change (sin t * psum (fun j => odd_coefficient n j * y_of t ^ j) N) with (odd_part n N t).
    replace (pred (2 * S n)) with (2 * n + 1)%nat by lia.
    replace (INR (2 * S n + 1) * (INR (2 * S n) * t ^ (2 * n + 1)))
      with (2 * INR (S n) * (2 * INR (S n) + 1) * t ^ (2 * n + 1)).
    2: { rewrite plus_INR, mult_INR. simpl (INR 2). simpl (INR 1). ring. }
    pose proof (IH N t ltac:(lra)) as H1. pose proof (pos_INR n) as Hn. pose proof (Hlast (S n) N t ltac:(lra)) as H4.
    assert (H2 : 0 <= 2 * INR (S n) * (2 * INR (S n) + 1)) by (rewrite S_INR; apply Rmult_le_pos; lra).
    assert (H3 : 0 <= 2 * INR (S n) * (2 * INR (S n) + 1) * (t ^ (2 * n + 1) - odd_part n N t)) by (apply Rmult_le_pos; lra).
    lra.
Qed.

Lemma odd_lower n N theta : 0 <= theta <= PI -> 0 <= odd_part n N theta.
Proof.
intros Ht. apply Rmult_le_pos; [apply sin_ge_0; lra|].
apply psum_nonneg. intros j _. apply Rmult_le_pos; [apply odd_coefficient_nonneg | apply pow_le, y_nonneg].
Qed.

(** ** From the moment equations to the polynomials *)

Lemma wsum_even_product_zero T j : forall a, (forall i, (i <= j)%nat -> moment T (a + 2 * i) = 0) ->
  wsum T (fun s => s ^ a * even_product j s) = 0.
Proof.
induction j as [|j IH]; intros a H.
- rewrite (wsum_ext_all T _ (fun s => s ^ (a + 2 * 0))); [exact (H O (le_n _))|].
  intros s. replace (a + 2 * 0)%nat with a by lia. simpl. ring.
- rewrite (wsum_ext_all T _ (fun s => s ^ (a + 2) * even_product j s - INR j * INR j * (s ^ a * even_product j s))).
  2: { intros s. rewrite even_product_S, pow_add. simpl. ring. }
  rewrite wsum_minus, wsum_scal, !IH; [ring| |].
  + intros i Hi. apply H. lia.
  + intros i Hi. rewrite <- (H (S i)) by lia. f_equal. lia.
Qed.

Lemma wsum_odd_product_zero T j : forall a, (forall i, (i <= j)%nat -> moment T (a + 1 + 2 * i) = 0) ->
  wsum T (fun s => s ^ a * odd_product j s) = 0.
Proof.
induction j as [|j IH]; intros a H.
- rewrite (wsum_ext_all T _ (fun s => s ^ (a + 1 + 2 * 0))); [exact (H O (le_n _))|].
  intros s. replace (a + 1 + 2 * 0)%nat with (S a) by lia. simpl. ring.
- rewrite (wsum_ext_all T _ (fun s => s ^ (a + 2) * odd_product j s - INR (S j) * INR (S j) * (s ^ a * odd_product j s))).
  2: { intros s. rewrite odd_product_S, pow_add. simpl (s ^ 2). ring. }
  rewrite wsum_minus, wsum_scal, !IH; [ring| |].
  + intros i Hi. apply H. lia.
  + intros i Hi. rewrite <- (H (S i)) by lia. f_equal. lia.
Qed.

Lemma moment_other m p T n : order_conditions m p T -> (n < m + p)%nat -> n <> m -> moment T n = 0.
Proof. intros H Hn Hm. rewrite H by exact Hn. now destruct (Nat.eqb_spec n m). Qed.

Lemma moment_own m p T : order_conditions m p T -> (1 <= p)%nat -> moment T m = INR (fact m).
Proof. intros H Hp. rewrite H by lia. now rewrite Nat.eqb_refl. Qed.

Lemma fact_two n : INR (fact (2 * S n)) = (2 * INR n + 2) * (2 * INR n + 1) * INR (fact (2 * n)).
Proof.
replace (2 * S n)%nat with (S (S (2 * n))) by lia. rewrite !INR_fact_S, S_INR, mult_INR. simpl (INR 2). ring.
Qed.

Lemma fact_two_one n : INR (fact (2 * S n + 1)) = (2 * INR n + 3) * (2 * INR n + 2) * INR (fact (2 * n + 1)).
Proof.
replace (2 * S n + 1)%nat with (S (S (2 * n + 1))) by lia.
rewrite !INR_fact_S, S_INR, plus_INR, mult_INR. simpl (INR 2). simpl (INR 1). ring.
Qed.

Lemma wsum_even_product T m p j : order_conditions m p T -> (1 <= p)%nat ->
  forall a b, m = (2 * (a + b))%nat -> (2 * a + 2 * j < m + p)%nat ->
  wsum T (fun s => s ^ (2 * a) * even_product j s) * ((-4) ^ j * INR (fact (2 * b)))
  = INR (fact m) * INR (fact (2 * j)) * (-1) ^ b * even_coefficient b j.
Proof.
intros Ho Hp. induction j as [|j IH]; intros a b Hm Hj.
- rewrite (wsum_ext_all T _ (fun s => s ^ (2 * a))); [|intros s; simpl; ring]. fold (moment T (2 * a)).
  destruct b as [|b].
  + replace (2 * a)%nat with m by lia. rewrite (moment_own m p) by auto. simpl. ring.
  + rewrite (moment_other m p) by (auto; lia). cbn [even_coefficient]. ring.
- rewrite (wsum_ext_all T _ (fun s => s ^ (2 * (a + 1)) * even_product j s - INR j * INR j * (s ^ (2 * a) * even_product j s))).
  2: { intros s. rewrite even_product_S. replace (2 * (a + 1))%nat with (2 * a + 2)%nat by lia. rewrite pow_add. simpl (s ^ 2). ring. }
  rewrite wsum_minus, wsum_scal, fact_two. cbn [even_coefficient]. pose proof (pos_INR j) as HN.
  pose proof (IH a b Hm ltac:(lia)) as E.
  set (M := wsum T (fun s => s ^ (2 * a) * even_product j s)) in *.
  replace ((-4) ^ S j) with (-4 * (-4) ^ j) by reflexivity.
  destruct b as [|b].
  + rewrite wsum_even_product_zero.
    2: { intros i Hi. apply (moment_other m p); auto; lia. }
    transitivity (4 * (INR j * INR j) * (M * ((-4) ^ j * INR (fact (2 * 0))))); [ring|]. rewrite E. field. lra.
  + pose proof (IH (a + 1)%nat b ltac:(lia) ltac:(lia)) as E'.
    set (M' := wsum T (fun s => s ^ (2 * (a + 1)) * even_product j s)) in *.
    transitivity (-4 * (M' * ((-4) ^ j * INR (fact (2 * b)))) * ((2 * INR b + 2) * (2 * INR b + 1))
                  + 4 * (INR j * INR j) * (M * ((-4) ^ j * INR (fact (2 * S b))))).
    { rewrite fact_two. ring. }
    rewrite E, E', S_INR. simpl pow. field. lra.
Qed.

Lemma wsum_odd_product T m p j : order_conditions m p T -> (1 <= p)%nat ->
  forall a b, m = (2 * (a + b) + 1)%nat -> (2 * a + 2 * j + 1 < m + p)%nat ->
  wsum T (fun s => s ^ (2 * a) * odd_product j s) * ((-4) ^ j * INR (fact (2 * b + 1)))
  = INR (fact m) * INR (fact (2 * j + 1)) * (-1) ^ b * odd_coefficient b j.
Proof.
intros Ho Hp. induction j as [|j IH]; intros a b Hm Hj.
- rewrite (wsum_ext_all T _ (fun s => s ^ (2 * a + 1))).
  2: { intros s. rewrite pow_add. simpl. ring. }
  fold (moment T (2 * a + 1)).
  destruct b as [|b].
  + replace (2 * a + 1)%nat with m by lia. rewrite (moment_own m p) by auto. simpl. ring.
  + rewrite (moment_other m p) by (auto; lia). cbn [odd_coefficient]. ring.
- rewrite (wsum_ext_all T _ (fun s => s ^ (2 * (a + 1)) * odd_product j s
                                     - (INR j + 1) * (INR j + 1) * (s ^ (2 * a) * odd_product j s))).
  2: { intros s. rewrite odd_product_S, S_INR. replace (2 * (a + 1))%nat with (2 * a + 2)%nat by lia.
       rewrite pow_add. simpl (s ^ 2). ring. }
  rewrite wsum_minus, wsum_scal, fact_two_one. cbn [odd_coefficient]. pose proof (pos_INR j) as HN.
  pose proof (IH a b Hm ltac:(lia)) as E.
  set (M := wsum T (fun s => s ^ (2 * a) * odd_product j s)) in *.
  replace ((-4) ^ S j) with (-4 * (-4) ^ j) by reflexivity.
  destruct b as [|b].
  + rewrite wsum_odd_product_zero.
    2: { intros i Hi. apply (moment_other m p); auto; lia. }
    transitivity (4 * ((INR j + 1) * (INR j + 1)) * (M * ((-4) ^ j * INR (fact (2 * 0 + 1))))); [ring|]. rewrite E. field. lra.
  + pose proof (IH (a + 1)%nat b ltac:(lia) ltac:(lia)) as E'.
    set (M' := wsum T (fun s => s ^ (2 * (a + 1)) * odd_product j s)) in *.
    transitivity (-4 * (M' * ((-4) ^ j * INR (fact (2 * b + 1)))) * ((2 * INR b + 3) * (2 * INR b + 2))
                  + 4 * ((INR j + 1) * (INR j + 1)) * (M * ((-4) ^ j * INR (fact (2 * S b + 1))))).
    { rewrite fact_two_one. ring. }
    rewrite E, E', S_INR. simpl pow. field. lra.
Qed.

(** ** The symbols of the standard central stencils *)

Lemma shift_by_pi n z : cos (z - INR n * PI) = (-1) ^ n * cos z /\ sin (z - INR n * PI) = (-1) ^ n * sin z.
Proof.
revert z; induction n as [|n IH]; intros z.
- simpl. rewrite Rmult_0_l, Rminus_0_r. split; ring.
- destruct (IH (z - PI)) as [Hc Hs]. rewrite S_INR.
  replace (z - (INR n + 1) * PI) with (z - PI - INR n * PI) by ring. rewrite Hc, Hs.
  replace (z - PI) with (- (PI - z)) by ring. rewrite cos_neg, sin_neg, sin_PI_x.
  replace (PI - z) with (- z + PI) by ring. rewrite neg_cos, cos_neg. simpl pow. split; ring.
Qed.

Lemma sign_square n : (-1) ^ n * (-1) ^ n = 1.
Proof. rewrite <- Rpow_mult_distr. replace (-1 * -1) with 1 by ring. apply pow1. Qed.

Lemma central_width m p : (1 <= p)%nat -> Nat.Even p ->
  (Nat.Even m -> (2 * central_radius m p + 2 = m + p)%nat) /\ (Nat.Odd m -> (2 * central_radius m p + 1 = m + p)%nat).
Proof.
intros Hp [q ->]. unfold central_radius. rewrite (Nat.mul_comm 2 q), Nat.div_mul by lia. split; intros [n ->].
- replace (2 * n + 1)%nat with (1 + n * 2)%nat by lia. rewrite Nat.div_add by lia. simpl (1 / 2)%nat. lia.
- replace (2 * n + 1 + 1)%nat with ((n + 1) * 2)%nat by lia. rewrite Nat.div_mul by lia. lia.
Qed.

Lemma wsum_nodes T r f g :
  (forall sc, In sc T -> exists k : Z, node sc = IZR k /\ (Z.abs k <= Z.of_nat r)%Z) ->
  (forall k, (Z.abs k <= Z.of_nat r)%Z -> f (IZR k) = g (IZR k)) -> wsum T f = wsum T g.
Proof.
intros HS H. apply wsum_ext. intros s Hs. apply in_map_iff in Hs. destruct Hs as (sc & <- & Hin).
destruct (HS sc Hin) as (k & -> & Hk). auto.
Qed.

(** The numerator of the symbol, sum_k c_k e^{i s_k theta} / i^m, is real and the polynomial above; even m. *)
Lemma central_even n p T theta : standard_central (2 * n) p T ->
  wsum T (fun s => cos (s * theta - INR (2 * n) * (PI / 2))) = even_part n (1 + central_radius (2 * n) p) theta
  /\ wsum T (fun s => sin (s * theta - INR (2 * n) * (PI / 2))) = 0.
Proof.
intros (Hm & Hp & Hev & Hnodes & Ho).
assert (Hw : (2 * central_radius (2 * n) p + 2 = 2 * n + p)%nat) by (apply central_width; auto; now exists n).
set (r := central_radius (2 * n) p) in *.
assert (Ha : INR (2 * n) * (PI / 2) = INR n * PI) by (rewrite mult_INR; simpl (INR 2); field).
rewrite Ha. split.
- rewrite (wsum_nodes T r _ (fun s => (-1) ^ n * psum (fun j => cos_term (y_of theta) s j) (1 + r))); auto.
  2: { intros k Hk. rewrite (proj1 (shift_by_pi n _)), <- cos_integer by lia. reflexivity. }
  rewrite wsum_scal, wsum_psum, <- psum_scal. unfold even_part. apply psum_ext. intros j Hj.
  unfold cos_term. rewrite wsum_scal.
  pose proof (wsum_even_product T (2 * n) p j Ho Hp 0 n eq_refl ltac:(lia)) as E.
  rewrite (wsum_ext_all T (fun s => s ^ (2 * 0) * even_product j s) (even_product j)) in E by (intros s; simpl; ring).
  pose proof (INR_fact_neq_0 (2 * n)) as Hn. pose proof (INR_fact_neq_0 (2 * j)) as Hf.
  apply (Rmult_eq_reg_r (INR (fact (2 * n)))); auto.
  rewrite Rpow_mult_distr.
  transitivity ((-1) ^ n * (y_of theta ^ j / INR (fact (2 * j)))
                * (wsum T (even_product j) * ((-4) ^ j * INR (fact (2 * n))))); [field; auto|].
  rewrite E.
  transitivity (((-1) ^ n * (-1) ^ n) * (even_coefficient n j * y_of theta ^ j * INR (fact (2 * n)))); [field; auto|].
  rewrite sign_square. ring.
- rewrite (wsum_nodes T r _ (fun s => (-1) ^ n * (sin theta * psum (fun j => sin_term (y_of theta) s j) r))); auto.
  2: { intros k Hk. rewrite (proj2 (shift_by_pi n _)), <- sin_integer by lia. reflexivity. }
  rewrite !wsum_scal, wsum_psum, psum_zero; [ring|]. intros j Hj.
  unfold sin_term. rewrite wsum_scal, (wsum_ext_all T _ (fun s => s ^ 0 * odd_product j s)) by (intros s; simpl; ring).
  rewrite wsum_odd_product_zero; [ring|]. intros i Hi. apply (moment_other (2 * n) p); auto; lia.
Qed.

(** Odd m. *)
Lemma central_odd n p T theta : standard_central (2 * n + 1) p T ->
  wsum T (fun s => cos (s * theta - INR (2 * n + 1) * (PI / 2))) = odd_part n (central_radius (2 * n + 1) p) theta
  /\ wsum T (fun s => sin (s * theta - INR (2 * n + 1) * (PI / 2))) = 0.
Proof.
intros (Hm & Hp & Hev & Hnodes & Ho).
assert (Hw : (2 * central_radius (2 * n + 1) p + 1 = 2 * n + 1 + p)%nat) by (apply central_width; auto; now exists n).
set (r := central_radius (2 * n + 1) p) in *.
assert (Ha : INR (2 * n + 1) * (PI / 2) = INR n * PI + PI / 2).
{ rewrite plus_INR, mult_INR. simpl (INR 2). simpl (INR 1). field. }
rewrite Ha.
assert (Hc : forall z, cos (z - (INR n * PI + PI / 2)) = (-1) ^ n * sin z).
{ intros z. replace (z - (INR n * PI + PI / 2)) with (- (PI / 2 - (z - INR n * PI))) by ring.
  rewrite cos_neg, cos_shift. apply shift_by_pi. }
assert (Hs : forall z, sin (z - (INR n * PI + PI / 2)) = - ((-1) ^ n * cos z)).
{ intros z. replace (z - (INR n * PI + PI / 2)) with (- (PI / 2 - (z - INR n * PI))) by ring.
  rewrite sin_neg, sin_shift. f_equal. apply shift_by_pi. }
split.
- rewrite (wsum_nodes T r _ (fun s => (-1) ^ n * (sin theta * psum (fun j => sin_term (y_of theta) s j) r))); auto.
  2: { intros k Hk. rewrite Hc, <- sin_integer by lia. reflexivity. }
  rewrite !wsum_scal, wsum_psum. unfold odd_part.
  rewrite <- Rmult_assoc, (Rmult_comm _ (sin theta)), Rmult_assoc, <- psum_scal. f_equal. apply psum_ext. intros j Hj.
  unfold sin_term. rewrite wsum_scal.
  pose proof (wsum_odd_product T (2 * n + 1) p j Ho Hp 0 n eq_refl ltac:(lia)) as E.
  rewrite (wsum_ext_all T (fun s => s ^ (2 * 0) * odd_product j s) (odd_product j)) in E by (intros s; simpl; ring).
  pose proof (INR_fact_neq_0 (2 * n + 1)) as Hn. pose proof (INR_fact_neq_0 (2 * j + 1)) as Hf.
  apply (Rmult_eq_reg_r (INR (fact (2 * n + 1)))); auto.
  rewrite Rpow_mult_distr.
  transitivity ((-1) ^ n * (y_of theta ^ j / INR (fact (2 * j + 1)))
                * (wsum T (odd_product j) * ((-4) ^ j * INR (fact (2 * n + 1))))); [field; auto|].
  rewrite E.
  transitivity (((-1) ^ n * (-1) ^ n) * (odd_coefficient n j * y_of theta ^ j * INR (fact (2 * n + 1)))); [field; auto|].
  rewrite sign_square. ring.
- rewrite (wsum_nodes T r _ (fun s => - (-1) ^ n * psum (fun j => cos_term (y_of theta) s j) (1 + r))); auto.
  2: { intros k Hk. rewrite Hs, <- cos_integer by lia. ring. }
  rewrite !wsum_scal, wsum_psum, psum_zero; [ring|]. intros j Hj.
  unfold cos_term. rewrite wsum_scal, (wsum_ext_all T _ (fun s => s ^ 0 * even_product j s)) by (intros s; simpl; ring).
  rewrite wsum_even_product_zero; [ring|]. intros i Hi. apply (moment_other (2 * n + 1) p); auto; lia.
Qed.

(** The symbol of a standard central stencil is real. *)
Theorem central_real m p T theta : standard_central m p T -> theta <> 0 -> symbolC m T theta = RtoC (symbol m T theta).
Proof.
intros H Ht. rewrite symbolC_parts by exact Ht. unfold symbol_im.
replace (wsum T (fun s => sin (s * theta - INR m * (PI / 2)))) with 0.
{ unfold RtoC. f_equal. unfold Rdiv; ring. }
symmetry. destruct (Nat.Even_or_Odd m) as [[n ->] | [n ->]].
- now apply (central_even n p).
- now apply (central_odd n p).
Qed.

(** 0 <= m(theta) <= 1 on (0, pi]: the standard central stencils of every m >= 1 and every even order p. *)
Theorem central_unit_interval m p T theta : standard_central m p T -> 0 < theta <= PI -> 0 <= symbol m T theta <= 1.
Proof.
intros H Ht. assert (Hpow : 0 < theta ^ m) by (apply pow_lt; lra).
enough (E : 0 <= wsum T (fun s => cos (s * theta - INR m * (PI / 2))) <= theta ^ m).
{ unfold symbol. split; [now apply Rdiv_le_0_compat|]. apply Rle_div_l; lra. }
destruct (Nat.Even_or_Odd m) as [[n ->] | [n ->]].
- rewrite (proj1 (central_even n p T theta H)). split; [apply even_lower | apply even_upper; lra].
- rewrite (proj1 (central_odd n p T theta H)). split; [apply odd_lower | apply odd_upper]; lra.
Qed.

(** An angle of [-pi, pi] with the same sine and cosine, no larger. *)
Lemma nearest_angle theta : exists t, -PI <= t <= PI /\ Rabs t <= Rabs theta /\ sin t = sin theta /\ cos t = cos theta.
Proof.
pose proof PI_RGT_0 as Hpi.
assert (H : forall N x, 0 <= x <= (2 * INR N + 1) * PI -> exists t, -PI <= t <= PI /\ Rabs t <= x /\ sin t = sin x /\ cos t = cos x).
{ induction N as [|N IH]; intros x Hx.
  - exists x. simpl in Hx. rewrite Rabs_pos_eq by lra. repeat split; lra.
  - destruct (Rle_dec x PI) as [Hle | Hgt].
    + exists x. rewrite Rabs_pos_eq by lra. repeat split; lra.
    + destruct (Rle_dec x (2 * PI)) as [Hle2 | Hgt2].
      * exists (x - 2 * PI). rewrite Rabs_left1 by lra. repeat split; try lra.
        -- rewrite sin_minus, sin_2PI, cos_2PI. ring.
        -- rewrite cos_minus, sin_2PI, cos_2PI. ring.
      * destruct (IH (x - 2 * PI)) as (t & Ht & Ha & Hs & Hc).
        { rewrite S_INR in Hx. split; [lra|]. nra. }
        exists t. repeat split; try lra.
        -- rewrite Hs, sin_minus, sin_2PI, cos_2PI. ring.
        -- rewrite Hc, cos_minus, sin_2PI, cos_2PI. ring. }
assert (Hup : exists N, Rabs theta <= (2 * INR N + 1) * PI).
{ assert (Hq : 0 <= Rabs theta / PI) by (apply Rdiv_le_0_compat; [apply Rabs_pos | lra]).
  destruct (nfloor_ex (Rabs theta / PI) Hq) as [n [_ HN]]. rewrite <- S_INR in HN. exists (S n). set (N := S n) in *.
  apply (Rmult_lt_compat_r PI) in HN; [|lra]. unfold Rdiv in HN. rewrite Rmult_assoc, Rinv_l in HN by lra.
  pose proof (pos_INR N). nra. }
destruct Hup as [N HN]. destruct (H N (Rabs theta)) as (t & Ht & Ha & Hs & Hc).
{ split; [apply Rabs_pos | exact HN]. }
destruct (Rle_dec 0 theta) as [Hpos | Hneg].
- rewrite (Rabs_pos_eq theta) in * by lra. exists t. repeat split; tauto || lra.
- rewrite (Rabs_left theta) in * by lra. rewrite sin_neg in Hs. rewrite cos_neg in Hc.
  exists (- t). rewrite Rabs_Ropp, sin_neg, cos_neg. repeat split; lra.
Qed.

(** |m(theta)| <= 1 on the whole real line, every m >= 1 and every even order p; at theta = 0 the symbol is defined by its
    limit, which is 1 (lemma [symbol_limit] below). *)
Theorem central_bounded m p T theta : standard_central m p T -> theta <> 0 -> Cmod (symbolC m T theta) <= 1.
Proof.
intros H Ht. rewrite (central_real m p) by assumption. rewrite Cmod_R. unfold symbol.
assert (Hpow : 0 < Rabs theta ^ m) by (apply pow_lt, Rabs_pos_lt, Ht).
rewrite Rabs_div, <- RPow_abs by now apply pow_nonzero.
apply Rle_div_l; [exact Hpow|]. rewrite Rmult_1_l.
destruct (nearest_angle theta) as (t & Hint & Habs & Hs & Hc).
assert (Hy : y_of theta = y_of t) by (pose proof (cos_y theta); pose proof (cos_y t); lra).
apply Rle_trans with (Rabs t ^ m); [|apply pow_incr; split; [apply Rabs_pos | exact Habs]].
destruct (Nat.Even_or_Odd m) as [[n ->] | [n ->]].
- rewrite (proj1 (central_even n p T theta H)). rewrite Rabs_pos_eq by apply even_lower.
  replace (even_part n (1 + central_radius (2 * n) p) theta) with (even_part n (1 + central_radius (2 * n) p) (Rabs t)).
  { apply even_upper, Rabs_pos. }
  unfold even_part. rewrite Hy. apply psum_ext. intros j _. f_equal. f_equal.
  pose proof (cos_y t) as E1. pose proof (cos_y (Rabs t)) as E2.
  enough (cos (Rabs t) = cos t) by lra. unfold Rabs; destruct (Rcase_abs t); [apply cos_neg | reflexivity].
- rewrite (proj1 (central_odd n p T theta H)). set (r := central_radius (2 * n + 1) p).
  assert (E : odd_part n r theta = odd_part n r t) by (unfold odd_part; now rewrite Hs, Hy).
  rewrite E. destruct (Rle_dec 0 t) as [Hpos | Hneg].
  + rewrite (Rabs_pos_eq t) by lra. rewrite Rabs_pos_eq by (apply odd_lower; lra). apply odd_upper; lra.
  + assert (E' : odd_part n r t = - odd_part n r (- t)).
    { unfold odd_part. rewrite sin_neg. replace (y_of (- t)) with (y_of t); [ring|].
      pose proof (cos_y t) as E1. pose proof (cos_y (- t)) as E2. rewrite cos_neg in E2. lra. }
    rewrite E', Rabs_Ropp, (Rabs_left t) by lra. rewrite Rabs_pos_eq by (apply odd_lower; lra). apply odd_upper; lra.
Qed.

(** ** The value at theta = 0 *)

(** The k-th derivative of  theta -> sum_k c_k cos (s_k theta + b). *)
Definition wave (T : stencil) (b : R) (k : nat) (theta : R) : R :=
  wsum T (fun s => s ^ k * cos (s * theta + b + INR k * (PI / 2))).

Lemma is_derive_wsum T (f f' : R -> R -> R) x :
  (forall s, is_derive (f s) x (f' s x)) -> is_derive (fun t => wsum T (fun s => f s t)) x (wsum T (fun s => f' s x)).
Proof.
intros H. induction T as [|sc T IH]; simpl; [exact (is_derive_const 0 x)|].
apply (is_derive_plus (fun t => weight sc * f (node sc) t) (fun t => wsum T (fun s => f s t)));
  [apply (is_derive_scal (f (node sc))), H | exact IH].
Qed.

Lemma is_derive_wave T b k theta : is_derive (wave T b k) theta (wave T b (S k) theta).
Proof.
apply (is_derive_wsum T (fun s t => s ^ k * cos (s * t + b + INR k * (PI / 2)))
         (fun s t => s ^ S k * cos (s * t + b + INR (S k) * (PI / 2)))).
intros s. rewrite S_INR.
replace (s * theta + b + (INR k + 1) * (PI / 2)) with (PI / 2 + (s * theta + b + INR k * (PI / 2))) by ring.
replace (s ^ S k * cos (PI / 2 + (s * theta + b + INR k * (PI / 2))))
  with (s ^ k * (s * (- sin (s * theta + b + INR k * (PI / 2))))).
2: { rewrite sin_cos. simpl. ring. }
apply is_derive_scal. auto_derive; [exact I | ring].
Qed.

Lemma wave_bound T b k : exists C, forall theta, Rabs (wave T b k theta) <= C.
Proof.
unfold wave. induction T as [|sc T [C HC]]; simpl.
- exists 0. intros _. rewrite Rabs_R0. lra.
- exists (Rabs (weight sc * node sc ^ k) + C). intros theta.
  eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat; [|apply HC].
  rewrite <- Rmult_assoc, Rabs_mult. rewrite <- (Rmult_1_r (Rabs (weight sc * node sc ^ k))) at 2.
  apply Rmult_le_compat_l; [apply Rabs_pos | apply Rabs_le, COS_bound].
Qed.

(** Taylor's remainder at 0, by the mean value theorem. *)
Lemma remainder_step (f f' : R -> R) C n : (forall x, is_derive f x (f' x)) -> f 0 = 0 ->
  (forall x, Rabs (f' x) <= C * Rabs x ^ n) -> forall x, Rabs (f x) <= C * Rabs x ^ S n.
Proof.
intros Hf H0 Hb x. destruct (MVT_gen f 0 x f') as [c [Hc E]].
- intros t _. apply Hf.
- intros t _. apply continuity_pt_filterlim. apply (ex_derive_continuous f). eexists. apply Hf.
- rewrite H0, !Rminus_0_r in E. rewrite E, Rabs_mult. simpl pow.
  replace (C * (Rabs x * Rabs x ^ n)) with (C * Rabs x ^ n * Rabs x) by ring.
  apply Rmult_le_compat_r; [apply Rabs_pos|]. eapply Rle_trans; [apply Hb|].
  assert (Hcx : Rabs c <= Rabs x).
  { unfold Rmin, Rmax in Hc. destruct (Rle_dec 0 x); unfold Rabs; destruct (Rcase_abs c), (Rcase_abs x); lra. }
  assert (HC : 0 <= C).
  { pose proof (Rle_trans _ _ _ (Rabs_pos _) (Hb 1)) as H. rewrite Rabs_R1, pow1 in H. lra. }
  apply Rmult_le_compat_l; [exact HC|]. apply pow_incr. split; [apply Rabs_pos | exact Hcx].
Qed.

Lemma wave_taylor T b m p : order_conditions m p T -> (1 <= p)%nat ->
  exists C, forall n k, (k + n = m)%nat -> forall theta,
    Rabs (wave T b k theta - INR (fact m) / INR (fact n) * cos (b + INR m * (PI / 2)) * theta ^ n) <= C * Rabs theta ^ S n.
Proof.
intros Ho Hp. destruct (wave_bound T b (S m)) as [C HC]. exists C.
assert (Hat : forall k, wave T b k 0 = moment T k * cos (b + INR k * (PI / 2))).
{ intros k. unfold wave, moment. rewrite <- wsum_scal_r. apply wsum_ext_all. intros s. do 3 f_equal. ring. }
induction n as [|n IH]; intros k Hk.
- replace k with m by lia.
  apply (remainder_step _ (wave T b (S m))).
  + intros x. replace (wave T b (S m) x) with (wave T b (S m) x - 0) by ring.
    apply (is_derive_minus (wave T b m) (fun x => INR (fact m) / INR (fact 0) * cos (b + INR m * (PI / 2)) * x ^ 0)).
    * apply is_derive_wave.
    * apply (is_derive_ext (fun _ => INR (fact m) / INR (fact 0) * cos (b + INR m * (PI / 2)))).
      { intros t. simpl. symmetry. apply Rmult_1_r. }
      exact (is_derive_const _ x).
  + rewrite Hat, (moment_own m p) by auto. simpl. field.
  + intros x. simpl pow. rewrite Rmult_1_r. apply HC.
- apply (remainder_step _ (fun x => wave T b (S k) x - INR (fact m) / INR (fact n) * cos (b + INR m * (PI / 2)) * x ^ n)).
  + intros x.
    apply (is_derive_minus (wave T b k) (fun x => INR (fact m) / INR (fact (S n)) * cos (b + INR m * (PI / 2)) * x ^ S n)).
    * apply is_derive_wave.
    * replace (INR (fact m) / INR (fact n) * cos (b + INR m * (PI / 2)) * x ^ n)
        with (INR (fact m) / INR (fact (S n)) * cos (b + INR m * (PI / 2)) * (INR (S n) * x ^ pred (S n))).
      -- apply is_derive_scal, is_derive_power.
      -- rewrite INR_fact_S, S_INR. simpl pred. pose proof (INR_fact_neq_0 n). pose proof (pos_INR n). field. split; lra.
  + rewrite Hat, (moment_other m p), pow_ne_zero by (auto; lia). ring.
  + apply IH. lia.
Qed.

(** The symbol of every consistent difference tends to 1 as theta -> 0, at least linearly. *)
Theorem symbol_limit m p T : order_conditions m p T -> (1 <= p)%nat ->
  exists C, forall theta, theta <> 0 -> Cmod (symbolC m T theta - 1)%C <= C * Rabs theta.
Proof.
intros Ho Hp.
destruct (wave_taylor T (- (INR m * (PI / 2))) m p Ho Hp) as [C1 H1].
destruct (wave_taylor T (- (INR m * (PI / 2)) - PI / 2) m p Ho Hp) as [C2 H2].
exists (C1 + C2). intros theta Ht.
assert (Hpow : 0 < Rabs theta ^ m) by (apply pow_lt, Rabs_pos_lt, Ht).
assert (Hq : theta ^ m <> 0) by now apply pow_nonzero.
assert (Hre : Rabs (symbol m T theta - 1) <= C1 * Rabs theta).
{ specialize (H1 m O eq_refl theta).
  replace (- (INR m * (PI / 2)) + INR m * (PI / 2)) with 0 in H1 by ring. rewrite cos_0 in H1.
  replace (wave T (- (INR m * (PI / 2))) 0 theta) with (symbol m T theta * theta ^ m) in H1.
  2: { unfold symbol, wave. unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by exact Hq. apply wsum_ext_all.
       intros s. simpl. rewrite Rmult_1_l. f_equal. ring. }
  apply (Rmult_le_reg_r (Rabs theta ^ m)); [exact Hpow|].
  rewrite RPow_abs at 1. rewrite <- Rabs_mult.
  replace ((symbol m T theta - 1) * theta ^ m)
    with (symbol m T theta * theta ^ m - INR (fact m) / INR (fact m) * 1 * theta ^ m) by (field; apply INR_fact_neq_0).
  simpl pow in H1. lra. }
assert (Him : Rabs (symbol_im m T theta) <= C2 * Rabs theta).
{ specialize (H2 m O eq_refl theta).
  replace (- (INR m * (PI / 2)) - PI / 2 + INR m * (PI / 2)) with (- (PI / 2)) in H2 by ring. rewrite cos_neg, cos_PI2 in H2.
  replace (wave T (- (INR m * (PI / 2)) - PI / 2) 0 theta) with (symbol_im m T theta * theta ^ m) in H2.
  2: { unfold symbol_im, wave. unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by exact Hq. apply wsum_ext_all.
       intros s. simpl. rewrite Rmult_1_l, <- cos_shift, <- (cos_neg (PI / 2 - _)). f_equal. ring. }
  apply (Rmult_le_reg_r (Rabs theta ^ m)); [exact Hpow|].
  rewrite RPow_abs at 1. rewrite <- Rabs_mult.
  replace (symbol_im m T theta * theta ^ m)
    with (symbol_im m T theta * theta ^ m - INR (fact m) / INR (fact m) * 0 * theta ^ m) by ring.
  simpl pow in H2. lra. }
rewrite symbolC_parts by exact Ht.
replace ((symbol m T theta, symbol_im m T theta) - 1)%C
  with (RtoC (symbol m T theta - 1) + Ci * RtoC (symbol_im m T theta))%C.
2: { apply injective_projections; simpl; ring. }
eapply Rle_trans; [apply Cmod_triangle|]. rewrite Cmod_mult, !Cmod_R.
replace (Cmod Ci) with 1. { lra. }
unfold Cmod, Ci; simpl. replace (0 * (0 * 1) + 1 * (1 * 1)) with 1 by ring. now rewrite sqrt_1.
Qed.
