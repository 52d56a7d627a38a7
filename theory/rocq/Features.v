(** Enclosures of the entries of feature matrices inside the kernel: sums of c sigma^(m)(z) with rational c and z, for sigma
    = sin, cos, exp and tanh. That is what every row of A_AD and A_FD is where the operator's coefficients are rational at
    the points: in A_AD the m are orders of derivatives, in A_FD they are 0 and the z those of the shifted points.

    [sigma^(m)] is the m-th derivative itself ([Derive_n] of Coquelicot); the functions are enclosed by the intervals of
    coq-interval with endpoints of unbounded precision ([BigIntRadix2]). *)
From Coq Require Import ZArith Reals List Lra Lia.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Specific_bigint Specific_ops Float_full Interval Xreal Basic Sig.
Import ListNotations.
Local Open Scope R_scope.

Module F := SpecificFloat BigIntRadix2.
Module I := FloatIntervalFull F.

(** * The entries *)

Inductive activation := Sin | Cos | Exp | Tanh.
Definition function (s : activation) : R -> R := match s with Sin => sin | Cos => cos | Exp => exp | Tanh => tanh end.

(** factor * sigma^(order)(argument), both rational. *)
Record term := Term { factor : Z * positive; order : nat; argument : Z * positive }.
Definition rational (q : Z * positive) : R := IZR (fst q) / IZR (Zpos (snd q)).
Definition entry (s : activation) (terms : list term) : R :=
  fold_right (fun t rest => rational (factor t) * Derive_n (function s) (order t) (rational (argument t)) + rest) 0 terms.

(** * Derivatives of the functions *)

(** (sin)^(m) = a sin + b cos. *)
Fixpoint turns (m : nat) (start : Z * Z) : Z * Z :=
  match m with O => start | S k => let (a, b) := turns k start in ((- b)%Z, a) end.
Definition wave (ab : Z * Z) (z : R) : R := IZR (fst ab) * sin z + IZR (snd ab) * cos z.

Lemma Derive_wave m ab z : Derive_n (wave ab) m z = wave (turns m ab) z.
Proof.
revert z; induction m as [|m IH]; intros z; [reflexivity|].
cbn [Derive_n]; rewrite (Derive_ext _ _ _ IH). cbn [turns]; destruct (turns m ab) as [a b]; unfold wave; cbn [fst snd].
apply is_derive_unique; rewrite opp_IZR; auto_derive; [exact I|ring].
Qed.

(** Polynomials, the lowest coefficient first. *)
Fixpoint poly (l : list Z) (x : R) : R := match l with [] => 0 | c :: l' => IZR c + x * poly l' x end.
Fixpoint padd (l k : list Z) : list Z :=
  match l, k with [], _ => k | _, [] => l | a :: l', b :: k' => (a + b)%Z :: padd l' k' end.
Fixpoint pderive (l : list Z) : list Z := match l with [] => [] | _ :: l' => padd l' (0%Z :: pderive l') end.

Lemma poly_add l k x : poly (padd l k) x = poly l x + poly k x.
Proof.
revert k; induction l as [|a l IH]; intros [|b k]; cbn; try ring. rewrite IH, plus_IZR; ring.
Qed.
Lemma poly_opp l x : poly (map Z.opp l) x = - poly l x.
Proof. induction l as [|a l IH]; cbn; [ring|]. rewrite IH, opp_IZR; ring. Qed.
Lemma poly_derive l x : is_derive (poly l) x (poly (pderive l) x).
Proof.
induction l as [|a l IH]; cbn [poly pderive]; [apply @is_derive_const|].
rewrite poly_add; cbn [poly].
apply (is_derive_ext (fun y => plus (IZR a) (mult y (poly l y)))); [intros; reflexivity|].
replace (poly l x + (0 + x * poly (pderive l) x)) with (plus 0 (plus (mult 1 (poly l x)) (mult x (poly (pderive l) x))))
  by (unfold plus, mult; cbn; ring).
apply @is_derive_plus; [apply @is_derive_const|].
apply (is_derive_mult (fun y => y) (poly l) x); [apply @is_derive_id|exact IH|intros; apply Rmult_comm].
Qed.

Lemma tanh_exp z : tanh z = 1 - 2 / (exp (2 * z) + 1).
Proof.
unfold tanh, sinh, cosh. rewrite exp_Ropp. replace (2 * z) with (z + z) by ring. rewrite exp_plus.
pose proof (exp_pos z). assert (exp z * exp z + 1 <> 0) by nra. field; repeat split; nra.
Qed.
Lemma tanh_derive z : is_derive tanh z (1 - tanh z * tanh z).
Proof.
apply (is_derive_ext (fun z => 1 - 2 / (exp (2 * z) + 1))); [intros; symmetry; apply tanh_exp|].
rewrite tanh_exp; pose proof (exp_pos (2 * z)). auto_derive; [lra|field; lra].
Qed.

(** (tanh)^(m) is this polynomial in tanh: p' (1 - x^2) from order to order. *)
Fixpoint tanh_poly (m : nat) : list Z :=
  match m with
  | O => [0%Z; 1%Z]
  | S k => let d := pderive (tanh_poly k) in padd d (map Z.opp (0%Z :: 0%Z :: d))
  end.

Lemma Derive_tanh m z : Derive_n tanh m z = poly (tanh_poly m) (tanh z).
Proof.
revert z; induction m as [|m IH]; intros z; [cbn; ring|].
cbn [Derive_n]; rewrite (Derive_ext _ _ _ IH); cbn [tanh_poly]; set (d := pderive _).
rewrite poly_add, poly_opp; cbn [poly].
apply is_derive_unique.
replace (poly d (tanh z) + - (0 + tanh z * (0 + tanh z * poly d (tanh z))))
  with (scal (1 - tanh z * tanh z) (poly d (tanh z))) by (unfold scal; cbn; unfold mult; cbn; ring).
apply (is_derive_comp (poly (tanh_poly m)) tanh); [apply poly_derive|apply tanh_derive].
Qed.

Lemma Derive_exp m z : Derive_n exp m z = exp z.
Proof.
revert z; induction m as [|m IH]; intros z; [reflexivity|].
cbn [Derive_n]; rewrite (Derive_ext _ _ _ IH); apply is_derive_unique; apply is_derive_Reals, derivable_pt_lim_exp.
Qed.

(** * Enclosures *)

Section Enclosures.
Variable prec : F.precision.
Definition holds (xi : I.type) (x : R) := contains (I.convert xi) (Xreal x).

Definition integer (n : Z) := I.fromZ prec n.
Definition quotient (q : Z * positive) := I.div prec (integer (fst q)) (integer (Zpos (snd q))).
Fixpoint poly_encl (l : list Z) (x : I.type) : I.type :=
  match l with [] => integer 0 | c :: l' => I.add prec (integer c) (I.mul prec x (poly_encl l' x)) end.
Definition wave_encl (ab : Z * Z) (z : I.type) : I.type :=
  if Z.eqb (snd ab) 0 then I.mul prec (integer (fst ab)) (I.sin prec z)
  else I.add prec (I.mul prec (integer (fst ab)) (I.sin prec z)) (I.mul prec (integer (snd ab)) (I.cos prec z)).
Definition tanh_encl (z : I.type) : I.type :=
  I.sub prec (integer 1) (I.div prec (integer 2) (I.add prec (I.exp prec (I.mul prec (integer 2) z)) (integer 1))).
Definition derivative_encl (s : activation) (m : nat) (z : I.type) : I.type :=
  match s with
  | Sin => wave_encl (turns m (1, 0)%Z) z
  | Cos => wave_encl (turns m (0, 1)%Z) z
  | Exp => I.exp prec z
  | Tanh => poly_encl (tanh_poly m) (tanh_encl z)
  end.
Definition entry_encl (s : activation) (terms : list term) : I.type :=
  fold_right (fun t rest =>
    I.add prec (I.mul prec (quotient (factor t)) (derivative_encl s (order t) (quotient (argument t)))) rest) (integer 0) terms.

Lemma holds_integer n : holds (integer n) (IZR n).
Proof. apply I.fromZ_correct. Qed.
Lemma holds_add xi yi x y : holds xi x -> holds yi y -> holds (I.add prec xi yi) (x + y).
Proof. intros Hx Hy; exact (I.add_correct prec xi yi (Xreal x) (Xreal y) Hx Hy). Qed.
Lemma holds_sub xi yi x y : holds xi x -> holds yi y -> holds (I.sub prec xi yi) (x - y).
Proof. intros Hx Hy; exact (I.sub_correct prec xi yi (Xreal x) (Xreal y) Hx Hy). Qed.
Lemma holds_mul xi yi x y : holds xi x -> holds yi y -> holds (I.mul prec xi yi) (x * y).
Proof. intros Hx Hy; exact (I.mul_correct prec xi yi (Xreal x) (Xreal y) Hx Hy). Qed.
Lemma holds_div xi yi x y : y <> 0 -> holds xi x -> holds yi y -> holds (I.div prec xi yi) (x / y).
Proof.
intros y0 Hx Hy; generalize (I.div_correct prec xi yi (Xreal x) (Xreal y) Hx Hy).
unfold Xdiv, Xdiv'; rewrite is_zero_false by exact y0; exact (fun H => H).
Qed.
Lemma holds_sin xi x : holds xi x -> holds (I.sin prec xi) (sin x).
Proof. exact (I.sin_correct prec xi (Xreal x)). Qed.
Lemma holds_cos xi x : holds xi x -> holds (I.cos prec xi) (cos x).
Proof. exact (I.cos_correct prec xi (Xreal x)). Qed.
Lemma holds_exp xi x : holds xi x -> holds (I.exp prec xi) (exp x).
Proof. exact (I.exp_correct prec xi (Xreal x)). Qed.
Lemma holds_quotient q : holds (quotient q) (rational q).
Proof. apply holds_div; [apply IZR_neq; discriminate|apply holds_integer|apply holds_integer]. Qed.
Lemma holds_poly l xi x : holds xi x -> holds (poly_encl l xi) (poly l x).
Proof.
intros H; induction l as [|c l IH]; [apply holds_integer|].
apply holds_add; [apply holds_integer|apply holds_mul; assumption].
Qed.
Lemma holds_wave ab zi z : holds zi z -> holds (wave_encl ab zi) (wave ab z).
Proof.
intros H; destruct ab as [a b]; unfold wave_encl, wave; cbn [fst snd].
destruct (Z.eqb_spec b 0) as [->|_].
- rewrite Rmult_0_l, Rplus_0_r; apply holds_mul; [apply holds_integer|apply holds_sin, H].
- apply holds_add; apply holds_mul; try apply holds_integer; [apply holds_sin, H|apply holds_cos, H].
Qed.
Lemma holds_tanh zi z : holds zi z -> holds (tanh_encl zi) (tanh z).
Proof.
intros H; rewrite tanh_exp; apply holds_sub; [apply holds_integer|].
apply holds_div; [pose proof (exp_pos (2 * z)); lra|apply holds_integer|].
apply holds_add; [|apply holds_integer]; apply holds_exp, holds_mul; [apply holds_integer|exact H].
Qed.
Lemma holds_derivative s m zi z : holds zi z -> holds (derivative_encl s m zi) (Derive_n (function s) m z).
Proof.
intros H; destruct s; cbn [function derivative_encl].
- rewrite (Derive_n_ext sin (wave (1, 0)%Z)), Derive_wave by (intros; unfold wave; cbn; ring); apply holds_wave, H.
- rewrite (Derive_n_ext cos (wave (0, 1)%Z)), Derive_wave by (intros; unfold wave; cbn; ring); apply holds_wave, H.
- rewrite Derive_exp; apply holds_exp, H.
- rewrite Derive_tanh; apply holds_poly, holds_tanh, H.
Qed.
Lemma holds_entry s terms : holds (entry_encl s terms) (entry s terms).
Proof.
induction terms as [|t terms IH]; [apply holds_integer|].
apply holds_add; [|exact IH]; apply holds_mul; [apply holds_quotient|apply holds_derivative, holds_quotient].
Qed.

Definition not_negative (xi : I.type) : bool := match I.sign_large xi with Xgt | Xeq => true | _ => false end.
Lemma not_negative_correct xi x : not_negative xi = true -> holds xi x -> 0 <= x.
Proof.
unfold not_negative; generalize (I.sign_large_correct xi); destruct (I.sign_large xi); try discriminate; intros H _ Hx.
- specialize (H _ Hx); injection H as ->; apply Rle_refl.
- exact (proj2 (H _ Hx)).
Qed.

(** The entry times [unit] lies within 1 of n. *)
Definition check_entry (s : activation) (terms : list term) (unit n : Z) : bool :=
  let x := I.mul prec (entry_encl s terms) (integer unit) in
  not_negative (I.sub prec x (integer (n - 1))) && not_negative (I.sub prec (integer (n + 1)) x).
Lemma check_entry_correct s terms unit n : check_entry s terms unit n = true ->
  Rabs (entry s terms * IZR unit - IZR n) <= 1.
Proof.
unfold check_entry; intros H; apply andb_prop in H; destruct H as [Hl Hu].
assert (Hx : holds (I.mul prec (entry_encl s terms) (integer unit)) (entry s terms * IZR unit))
  by (apply holds_mul; [apply holds_entry|apply holds_integer]).
pose proof (not_negative_correct _ _ Hl (holds_sub _ _ _ _ Hx (holds_integer _))) as L.
pose proof (not_negative_correct _ _ Hu (holds_sub _ _ _ _ (holds_integer _) Hx)) as U.
rewrite minus_IZR in L; rewrite plus_IZR in U; apply Rabs_le; lra.
Qed.
End Enclosures.
