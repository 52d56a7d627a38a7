(** A checker of certificates of singular values, proven correct: [check c = true] implies that every singular value of every
    real matrix whose entries lie in the dyadic intervals of [c] lies between the bounds that [c] states.

    [c] holds the intervals, approximate left singular vectors as rows of integers, and the bounds. Nothing of the vectors has to
    be believed: the checker multiplies, truncates, takes Gram matrices and compares, in integers of 63-bit words ([BigZ]), so that
    [vm_compute] evaluates it. The theorem behind it is in [GramBounds.v]. *)
From Coq Require Import ZArith Lia Reals Uint63.
From Bignums Require Import BigZ.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import SingularValues Spectral GramBounds.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** * The certificate and the check *)

(** Integers: a list of words holds the sign (0, or else for minus) and then 63-bit digits, the lowest first. *)
Local Notation integer := BigZ.t_.
Local Notation word := PrimInt63.int.
Definition of_word (w : word) : integer := BigZ.Pos (BigN.N0 w).

Fixpoint digits (l : seq word) : integer :=
  if l is w :: rest then BigZ.add (of_word w) (BigZ.shiftl (digits rest) (of_word 63%uint63)) else BigZ.zero.
Definition number (l : seq word) : integer :=
  if l is sign :: rest then (if PrimInt63.eqb sign 0%uint63 then digits rest else BigZ.opp (digits rest)) else BigZ.zero.

(** A row of approximate vectors: [y] 2^-[shift] is the vector, in units that all rows share; its product with the matrix is
    truncated by [cut] places; [weight] is that of Gershgorin's sums. *)
Record row := Row { y : seq (seq word); shift : word; cut : word; weight : seq word }.
(** The number mantissa 10^exponent. *)
Record decimal := Decimal { mantissa : seq word; exponent : Z }.
Record certificate := Certificate {
  rows : nat; columns : nat;
  places : word;                   (* entries are in units of 2^-places *)
  entries : seq (seq (seq word));  (* column by column: an entry of the matrix lies within one unit of its integer *)
  vectors : seq row;
  error : seq word;                (* of truncated images, in their units *)
  bounds : seq (decimal * decimal)
}.

Definition power_of_two (e : word) : integer := BigZ.shiftl BigZ.one (of_word e).
Definition square (x : integer) : integer := BigZ.mul x x.
Definition at2 (t : seq (seq integer)) (i j : nat) : integer := nth BigZ.zero (nth [::] t i) j.

Fixpoint dot (x y : seq integer) : integer :=
  if x is a :: x' then if y is b :: y' then BigZ.add (BigZ.mul a b) (dot x' y') else BigZ.zero else BigZ.zero.
Fixpoint length1 (x : seq integer) : integer :=
  if x is a :: x' then BigZ.add (BigZ.abs a) (length1 x') else BigZ.zero.
Definition largest (x : seq integer) : integer := foldr BigZ.max BigZ.zero x.
Definition least (start : integer) (x : seq integer) : integer := foldr BigZ.min start x.

(** sum_i (|s_i| + e) w_i *)
Fixpoint gershgorin (e : integer) (s w : seq integer) : integer :=
  if s is a :: s' then
    if w is b :: w' then BigZ.add (BigZ.mul (BigZ.add (BigZ.abs a) e) b) (gershgorin e s' w') else BigZ.zero
  else BigZ.zero.
(** How far the Gram matrix of rows that are known within beta may be from that of their truncations, entry by entry. *)
Definition gram_error (beta : integer) (m : nat) (b : seq (seq integer)) : integer :=
  BigZ.add (BigZ.mul beta (BigZ.mul BigZ.two (largest (map length1 b))))
           (BigZ.mul (BigZ.of_Z (Z.of_nat m)) (BigZ.mul beta beta)).
(** Of each row: its diagonal entry in the Gram matrix, and Gershgorin's sum. *)
Definition sums (beta : integer) (m : nat) (b : seq (seq integer)) (w : seq integer) : seq (integer * integer) :=
  let e := gram_error beta m b in map (fun x => (dot x x, gershgorin e (map (dot x) b) w)) b.
Definition sum_at (s : seq (integer * integer)) j := nth (BigZ.zero, BigZ.zero) s j.

Definition numerator (d : decimal) : integer :=
  let p := number (mantissa d) in
  if exponent d is Zpos e then BigZ.mul p (BigZ.pow (BigZ.of_Z 10) (BigZ.of_Z (Zpos e))) else p.
Definition denominator (d : decimal) : integer :=
  if exponent d is Zneg e then BigZ.pow (BigZ.of_Z 10) (BigZ.of_Z (Zpos e)) else BigZ.one.

Definition matrix_integers c := map (map number) (entries c).
Definition vector_integers c := map (fun r => map number (y r)) (vectors c).
Definition shifts c := map shift (vectors c).
Definition cuts c := map cut (vectors c).
Definition weights c := map (fun r => number (weight r)) (vectors c).

Definition shapes (n m : nat) (a v : seq (seq integer)) :=
  [&& size a == m, all (fun x => size x == n) a, size v == n & all (fun x => size x == n) v]%N.
Definition truncated_images (n : nat) (a v : seq (seq integer)) (s : seq word) :=
  mkseq (fun j => map (fun x => BigZ.shiftr (dot (nth [::] v j) x) (of_word (nth 0%uint63 s j))) a) n.
Definition truncated_vectors (n : nat) (v : seq (seq integer)) (s : seq word) :=
  mkseq (fun j => map (fun x => BigZ.shiftr x (of_word (nth 0%uint63 s j))) (nth [::] v j)) n.
Definition within (n : nat) (v : seq (seq integer)) (s : seq word) (beta : integer) :=
  all (fun j => BigZ.leb (length1 (nth [::] v j)) (BigZ.mul (BigZ.sub beta BigZ.one) (power_of_two (nth 0%uint63 s j)))) (iota 0 n).
Definition positive (n : nat) (w : seq integer) := all (fun j => BigZ.ltb BigZ.zero (nth BigZ.zero w j)) (iota 0 n).

(** With q = p 10^e: q^2 hi <= l_j for j <= k, and u_j <= q^2 lo for j >= k, where l_j and u_j are Gershgorin's bounds. *)
Definition lower_holds (n : nat) (hi : integer) (s : seq (integer * integer)) (w scale unit : seq integer) (k : nat) (d : decimal) :=
  let p := numerator d in let q := denominator d in
  BigZ.leb p BigZ.zero ||
  (let p2 := BigZ.mul (BigZ.mul p p) hi in let q2 := BigZ.mul q q in
   all (fun j => let wj := nth BigZ.zero w j in
     BigZ.leb (BigZ.mul p2 (BigZ.mul (nth BigZ.zero unit j) wj))
              (BigZ.mul q2 (BigZ.mul (BigZ.sub (BigZ.mul BigZ.two (BigZ.mul (sum_at s j).1 wj)) (sum_at s j).2) (nth BigZ.zero scale j))))
     (iota 0 k.+1)).
Definition upper_holds (n : nat) (lo : integer) (s : seq (integer * integer)) (w scale unit : seq integer) (k : nat) (d : decimal) :=
  let p := numerator d in let q := denominator d in
  BigZ.leb BigZ.zero p &&
  (let p2 := BigZ.mul (BigZ.mul p p) lo in let q2 := BigZ.mul q q in
   all (fun j => BigZ.leb (BigZ.mul q2 (BigZ.mul (sum_at s j).2 (nth BigZ.zero scale j)))
                          (BigZ.mul p2 (BigZ.mul (nth BigZ.zero unit j) (nth BigZ.zero w j))))
     (iota k (n - k))).

Definition bound (c : certificate) (k : nat) : decimal * decimal :=
  nth (Decimal [::] 0, Decimal [::] 0) (bounds c) k.

Definition check (c : certificate) : bool :=
  let n := rows c in let m := columns c in
  let a := matrix_integers c in let v := vector_integers c in let w := weights c in let beta := number (error c) in
  let ys := sums BigZ.one n (truncated_vectors n v (shifts c)) (nseq n BigZ.one) in
  let hi := largest (map snd ys) in
  let lo := least hi (map (fun dg => BigZ.sub (BigZ.mul BigZ.two dg.1) dg.2) ys) in
  let s := sums beta m (truncated_images n a v (cuts c)) w in
  let scale := mkseq (fun j => square (power_of_two (nth 0%uint63 (cuts c) j))) n in
  let unit := mkseq (fun j => square (BigZ.mul (power_of_two (places c)) (power_of_two (nth 0%uint63 (shifts c) j)))) n in
  [&& shapes n m a v, within n v (cuts c) beta, positive n w, BigZ.ltb BigZ.zero lo &
      all (fun k => lower_holds n hi s w scale unit k (bound c k).1 && upper_holds n lo s w scale unit k (bound c k).2)
          (iota 0 n)].

(** * The integers as real numbers *)

Local Notation real := Rdefinitions.R.
Local Arguments BigZ.add : simpl never. Local Arguments BigZ.mul : simpl never. Local Arguments BigZ.sub : simpl never.
Local Arguments BigZ.abs : simpl never. Local Arguments BigZ.max : simpl never. Local Arguments BigZ.min : simpl never.
Local Arguments BigZ.pow : simpl never. Local Arguments BigZ.of_Z : simpl never.
Definition value (x : integer) : real := IZR (BigZ.to_Z x).

Lemma value_add x z : value (BigZ.add x z) = value x + value z.
Proof. by rewrite /value BigZ.spec_add plus_IZR. Qed.
Lemma value_sub x z : value (BigZ.sub x z) = value x - value z.
Proof. by rewrite /value BigZ.spec_sub minus_IZR. Qed.
Lemma value_mul x z : value (BigZ.mul x z) = value x * value z.
Proof. by rewrite /value BigZ.spec_mul mult_IZR. Qed.
Lemma value_opp x : value (BigZ.opp x) = - value x.
Proof. by rewrite /value BigZ.spec_opp opp_IZR. Qed.
Lemma value0 : value BigZ.zero = 0.
Proof. by []. Qed.
Lemma value1 : value BigZ.one = 1.
Proof. by []. Qed.
Lemma value2 : value BigZ.two = 2.
Proof. by rewrite /value -[2]/(1 + 1) -(RplusE 1 1) -[Rplus 1 1]/(IZR 2). Qed.
Lemma value_abs x : value (BigZ.abs x) = `|value x|.
Proof. by rewrite /value BigZ.spec_abs abs_IZR. Qed.
Lemma value_nat n : value (BigZ.of_Z (Z.of_nat n)) = n%:R.
Proof. by rewrite /value BigZ.spec_of_Z -INR_IZR_INZ INRE. Qed.
Lemma value_leb x z : BigZ.leb x z -> value x <= value z.
Proof. by rewrite BigZ.spec_leb => /Z.leb_le le; apply/RleP; exact: IZR_le. Qed.
Lemma value_ltb x z : BigZ.ltb x z -> value x < value z.
Proof. by rewrite BigZ.spec_ltb => /Z.ltb_lt lt; apply/RltP; exact: IZR_lt. Qed.
Lemma value_max x z : value x <= value (BigZ.max x z) /\ value z <= value (BigZ.max x z).
Proof.
by rewrite /value BigZ.spec_max; split; apply/RleP; apply: IZR_le; [exact: Z.le_max_l | exact: Z.le_max_r].
Qed.
Lemma value_min x z : value (BigZ.min x z) <= value x /\ value (BigZ.min x z) <= value z.
Proof.
by rewrite /value BigZ.spec_min; split; apply/RleP; apply: IZR_le; [exact: Z.le_min_l | exact: Z.le_min_r].
Qed.

(** 2^e. *)
Definition two_to (e : word) : real := value (power_of_two e).
Lemma two_toE e : two_to e = IZR (Z.pow 2 (Uint63.to_Z e)).
Proof.
by rewrite /two_to /value /power_of_two BigZ.spec_shiftl Z.shiftl_1_l //.
Qed.
Lemma two_to_gt0 e : 0 < two_to e.
Proof.
rewrite two_toE; apply/RltP; apply: IZR_lt; apply: Z.pow_pos_nonneg => //.
by have [] := Uint63.to_Z_bounded e.
Qed.
Lemma value_shiftr x e : `|value x / two_to e - value (BigZ.shiftr x (of_word e))| <= 1.
Proof.
have e0 : Z.le 0 (Uint63.to_Z e) by have [] := Uint63.to_Z_bounded e.
have P0 : Z.lt 0 (Z.pow 2 (Uint63.to_Z e)) by apply: Z.pow_pos_nonneg.
have P0' := two_to_gt0 e.
have -> : value (BigZ.shiftr x (of_word e)) = IZR (Z.div (BigZ.to_Z x) (Z.pow 2 (Uint63.to_Z e))).
  by rewrite /value BigZ.spec_shiftr -Z.shiftr_div_pow2.
set q := Z.div _ _; have lo : IZR q * two_to e <= value x.
  rewrite two_toE /value; apply/RleP; rewrite -RmultE -mult_IZR Z.mul_comm; apply: IZR_le; exact: Z.mul_div_le.
have up : value x <= (IZR q + 1) * two_to e.
  rewrite two_toE /value; apply/RleP.
  rewrite (_ : IZR q + 1 = IZR (Z.add q 1)); last by rewrite plus_IZR.
  rewrite -RmultE -mult_IZR Z.mul_comm; apply: IZR_le.
  by have := Z.mul_succ_div_gt (BigZ.to_Z x) _ P0; rewrite -/q; lia.
rewrite -ler_pdivl_mulr // in lo; rewrite -ler_pdivr_mulr // in up.
rewrite ler_norml; apply/andP; split; last by rewrite ler_subl_addl.
by apply: le_trans (_ : 0 <= _); [rewrite oppr_le0 | rewrite subr_ge0].
Qed.

(** * Lists as vectors *)

Lemma value_dot n (x z : seq integer) : size x = n -> size z = n ->
  value (dot x z) = \sum_(k < n) value (nth BigZ.zero x k) * value (nth BigZ.zero z k).
Proof.
elim: x z n => [|a x IH] [|b z] [|n] //= => [_ _|[sx] [sz]]; first by rewrite big_ord0 value0.
by rewrite big_ord_recl value_add value_mul /= (IH _ _ sx sz).
Qed.
Lemma value_length1 n (x : seq integer) : size x = n ->
  value (length1 x) = \sum_(k < n) `|value (nth BigZ.zero x k)|.
Proof.
elim: x n => [|a x IH] [|n] //= => [_|[sx]]; first by rewrite big_ord0 value0.
by rewrite big_ord_recl value_add value_abs /= (IH _ sx).
Qed.
Lemma value_gershgorin n e (s w : seq integer) : size s = n -> size w = n ->
  value (gershgorin e s w) =
  \sum_(k < n) (`|value (nth BigZ.zero s k)| + value e) * value (nth BigZ.zero w k).
Proof.
elim: s w n => [|a x IH] [|b z] [|n] //= => [_ _|[sx] [sz]]; first by rewrite big_ord0 value0.
by rewrite big_ord_recl value_add value_mul value_add value_abs /= (IH _ _ sx sz).
Qed.
Lemma value_largest (x : seq integer) z : List.In z x -> value z <= value (largest x).
Proof.
elim: x => //= a x IH [<-|/IH le]; have [l r] := value_max a (largest x); [exact: l | exact: le_trans le r].
Qed.
Lemma largest_ge0 (x : seq integer) : 0 <= value (largest x).
Proof. elim: x => //= a x IH; have [_ r] := value_max a (largest x); exact: le_trans IH r. Qed.
Lemma value_least s (x : seq integer) z : List.In z x -> value (least s x) <= value z.
Proof.
elim: x => //= a x IH [<-|/IH le]; have [l r] := value_min a (least s x); [exact: l | exact: le_trans r le].
Qed.
Lemma nth_In (T : Type) (d : T) (x : seq T) k : (k < size x)%N -> List.In (nth d x k) x.
Proof. by elim: x k => // a x IH [|k] /= lt; [left | right; apply: IH]. Qed.
Lemma all_iota (P : pred nat) a n k : all P (iota a n) -> (a <= k < a + n)%N -> P k.
Proof. by move=> /allP H lt; apply: H; rewrite mem_iota. Qed.

(** * The parts of the check *)

Section Sums.
Variables (n m : nat) (t : seq (seq integer)) (w : seq integer) (beta : integer) (b : 'M[real]_(n, m)).
Hypothesis size_t : size t = n.
Hypothesis size_rows : forall j, (j < n)%N -> size (nth [::] t j) = m.
Hypothesis size_w : size w = n.
Hypothesis w_gt0 : positive n w.
Hypothesis beta_ge0 : 0 <= value beta.
Hypothesis near : forall i k, `|b i k - value (at2 t i k)| <= value beta.

Let s := sums beta m t w.
Let W (j : 'I_n) : real := value (nth BigZ.zero w j).
Let T : 'M[real]_(n, m) := \matrix_(i, k) value (at2 t i k).

Lemma weight_gt0 j : 0 < W j.
Proof. by have := all_iota w_gt0 (ltn_ord j : 0 <= j < n)%N => /value_ltb; rewrite value0. Qed.

Lemma sum_atE (j : 'I_n) :
  value (sum_at s j).1 = (T *m T^T) j j /\
  value (sum_at s j).2 = row_sum T W (gram_slack m (value beta) (value (largest (map length1 t)))) j.
Proof.
have jt : (j < size t)%N by rewrite size_t.
rewrite /sum_at /s /sums (nth_map [::]) //=; split.
  rewrite (@value_dot m) ?size_rows // mxE; apply: eq_bigr => k _; by rewrite !mxE.
rewrite (@value_gershgorin n) ?size_map //; apply: eq_bigr => i _; congr ((_ + _) * _).
  rewrite (nth_map [::]) ?size_t // (@value_dot m) ?size_rows // mxE; congr (`| _ |).
  by apply: eq_bigr => k _; rewrite !mxE.
by rewrite /gram_error value_add !value_mul value2 value_nat.
Qed.

Lemma near_T i k : `|b i k - T i k| <= value beta.
Proof. by rewrite mxE. Qed.

Lemma lengths_T i : \sum_k `|T i k| <= value (largest (map length1 t)).
Proof.
have -> : \sum_k `|T i k| = value (length1 (nth [::] t i)).
  by rewrite (@value_length1 m) ?size_rows //; apply: eq_bigr => k _; rewrite mxE.
by apply: value_largest; apply: List.in_map; apply: nth_In; rewrite size_t.
Qed.

Lemma sums_le (c : 'rV_n) : nsq (c *m b) <= \sum_(j < n) value (sum_at s j).2 / W j * c 0 j ^+ 2.
Proof.
have le := approximate_gram_le near_T lengths_T weight_gt0 beta_ge0 c.
by apply: le_trans le _; apply: ler_sum => j _; rewrite (sum_atE j).2.
Qed.

Lemma sums_ge (c : 'rV_n) :
  \sum_(j < n) (2 * value (sum_at s j).1 - value (sum_at s j).2 / W j) * c 0 j ^+ 2 <= nsq (c *m b).
Proof.
have le := approximate_gram_ge near_T lengths_T weight_gt0 beta_ge0 c.
by apply: le_trans le; apply: ler_sum => j _; rewrite (sum_atE j).1 (sum_atE j).2.
Qed.
End Sums.

(** * The theorem *)

(** The number that a decimal stands for: mantissa 10^exponent. *)
Definition decimal_value (d : decimal) : real := value (number (mantissa d)) * powerRZ 10 (exponent d).

(** Every entry of A lies within 2^-places of the certificate's integer times 2^-places. *)
Definition encloses (c : certificate) (A : 'M[real]_(rows c, columns c)) : Prop :=
  forall i k, `|A i k - value (at2 (matrix_integers c) k i) / two_to (places c)| <= 1 / two_to (places c).

Lemma denominator_gt0 d : 0 < value (denominator d).
Proof.
rewrite /denominator; case: (exponent d) => [|e|e]; rewrite ?value1 ?ltr01 //.
rewrite /value BigZ.spec_pow !BigZ.spec_of_Z; apply/RltP; apply: IZR_lt; exact: Z.pow_pos_nonneg.
Qed.
Lemma decimal_valueE d : decimal_value d = value (numerator d) / value (denominator d).
Proof.
apply: (mulIf (lt0r_neq0 (denominator_gt0 d))); rewrite divfK ?lt0r_neq0 ?denominator_gt0 //.
rewrite /decimal_value RmultE /numerator /denominator; case: (exponent d) => [|e|e].
- by rewrite value1 mulr1 -[powerRZ _ _]/(1 : real) mulr1.
- rewrite value1 mulr1 value_mul /powerRZ; congr (_ * _).
  by rewrite /value BigZ.spec_pow !BigZ.spec_of_Z pow_IZR -(positive_nat_Z e).
- rewrite /powerRZ -mulrA; set x := _ * value _; suff -> : x = 1 by rewrite mulr1.
  rewrite /x /value BigZ.spec_pow !BigZ.spec_of_Z -(positive_nat_Z e) -pow_IZR -[X in X = _]/(Rmult _ _).
  by rewrite Rinv_l //; apply: pow_nonzero; apply: IZR_neq.
Qed.

Lemma cancel_factors (x p t q : real) : p != 0 -> q != 0 -> x / t = q / (p * t) * (p * x / q).
Proof.
move=> p0 q0; rewrite invfM -(mulrA p) -(mulrA q) mulrACA mulVf // mul1r mulrCA [q * _]mulrC divfK //.
by rewrite mulrC.
Qed.

Lemma scaled_ge (p2 q2 h un sc W D U : real) : 0 < q2 -> 0 < un -> 0 < W ->
  p2 * h * (un * W) <= q2 * ((2 * (D * W) - U) * sc) -> p2 / q2 * h <= (2 * D - U / W) * (sc / un).
Proof.
move=> q0 u0 W0 le.
have -> : (2 * D - U / W) * (sc / un) = (2 * (D * W) - U) * sc / (un * W).
  rewrite -[2 * D](mulfK (lt0r_neq0 W0)) -mulrBl mulrACA -invfM [W * un]mulrC; congr ((_ - _) * _ / _).
  by rewrite mulrA.
rewrite ler_pdivl_mulr ?mulr_gt0 // -(ler_pmul2l q0); apply: le_trans le; rewrite !mulrA le_eqVlt; apply/orP; left.
by rewrite [q2 * p2]mulrC mulfK ?lt0r_neq0.
Qed.

Lemma scaled_le (p2 q2 l un sc W U : real) : 0 < q2 -> 0 < un -> 0 < W ->
  q2 * (U * sc) <= p2 * l * (un * W) -> U / W * (sc / un) <= p2 / q2 * l.
Proof.
move=> q0 u0 W0 le; rewrite mulrACA -invfM [W * un]mulrC ler_pdivr_mulr ?mulr_gt0 // -(ler_pmul2l q0).
apply: le_trans le _; rewrite !mulrA le_eqVlt; apply/orP; left.
by rewrite [q2 * p2]mulrC mulfK ?lt0r_neq0.
Qed.

Section Soundness.
Variable c : certificate.
Let n := rows c.
Let m := columns c.
Variable A : 'M[real]_(n, m).
Hypothesis checked : check c.
Hypothesis enclosed : encloses A.

Let a := matrix_integers c.
Let v := vector_integers c.
Let w := weights c.
Let beta := number (error c).
Let vectors_short := truncated_vectors n v (shifts c).
Let images_short := truncated_images n a v (cuts c).
Let ys := sums BigZ.one n vectors_short (nseq n BigZ.one).
Let hi := largest (map snd ys).
Let lo := least hi (map (fun dg => BigZ.sub (BigZ.mul BigZ.two dg.1) dg.2) ys).
Let s := sums beta m images_short w.
Let cut_of j := two_to (nth 0%uint63 (cuts c) j).
Let shift_of j := two_to (nth 0%uint63 (shifts c) j).

Let Y : 'M[real]_n := \matrix_(j, i) (value (at2 v j i) / shift_of j).
Let B : 'M[real]_(n, m) := \matrix_(j, k) ((\sum_(i < n) value (at2 v j i) * (A i k * two_to (places c))) / cut_of j).

Lemma parts : [/\ shapes n m a v, within n v (cuts c) beta, positive n w, BigZ.ltb BigZ.zero lo &
  forall k, (k < n)%N ->
    lower_holds n hi s w (mkseq (fun j => square (power_of_two (nth 0%uint63 (cuts c) j))) n)
      (mkseq (fun j => square (BigZ.mul (power_of_two (places c)) (power_of_two (nth 0%uint63 (shifts c) j)))) n)
      k (bound c k).1 /\
    upper_holds n lo s w (mkseq (fun j => square (power_of_two (nth 0%uint63 (cuts c) j))) n)
      (mkseq (fun j => square (BigZ.mul (power_of_two (places c)) (power_of_two (nth 0%uint63 (shifts c) j)))) n)
      k (bound c k).2].
Proof.
have /and5P [h1 h2 h3 h4 h5] : check c by exact: checked.
by split=> // k kn; apply/andP; exact: (all_iota h5).
Qed.

Lemma sizes : [/\ size a = m, forall k, (k < m)%N -> size (nth [::] a k) = n,
  size v = n & forall j, (j < n)%N -> size (nth [::] v j) = n].
Proof.
have [/and4P [/eqP sa /(all_nthP [::]) ra /eqP sv /(all_nthP [::]) rv] _ _ _ _] := parts.
by split=> // [k km|j jn]; apply/eqP; [apply: ra; rewrite sa | apply: rv; rewrite sv].
Qed.

Lemma near_vectors (j i : 'I_n) : `|Y j i - value (at2 vectors_short j i)| <= value BigZ.one.
Proof.
have [_ _ _ rv] := sizes.
rewrite mxE /at2 nth_mkseq // (nth_map BigZ.zero) ?rv // value1; exact: value_shiftr.
Qed.

Lemma near_images (j : 'I_n) (k : 'I_m) : `|B j k - value (at2 images_short j k)| <= value beta.
Proof.
have [sa ra sv rv] := sizes; have [_ wi _ _ _] := parts; have P0 : 0 < cut_of j by exact: two_to_gt0.
rewrite mxE /at2 nth_mkseq // (nth_map [::]) ?sa //; set x := dot _ _.
apply: le_trans (ler_dist_add (value x / cut_of j) _ _) _; rewrite -[value beta](subrK 1).
apply: ler_add; last exact: value_shiftr.
have := all_iota wi (ltn_ord j : 0 <= j < 0 + n)%N => /value_leb; rewrite value_mul value_sub value1 => len.
have iP : 0 < (cut_of j)^-1 by rewrite invr_gt0.
rewrite -mulrBl normrM (gtr0_norm iP) ler_pdivr_mulr //; apply: le_trans len.
rewrite (@value_length1 n) ?rv // (@value_dot n) ?ra ?rv // -sumrB.
apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => i _; rewrite -mulrBr normrM -[X in _ <= X]mulr1.
apply: ler_wpmul2l => //; have := enclosed i k; rewrite -/a ler_pdivl_mulr ?two_to_gt0 // => le.
apply: le_trans le; rewrite -{3}(gtr0_norm (two_to_gt0 (places c))) -normrM mulrBl divfK //.
by rewrite lt0r_neq0 ?two_to_gt0.
Qed.

Lemma one_weights : positive n (nseq n BigZ.one).
Proof. by apply/allP => j; rewrite mem_iota add0n => /andP [_ jn]; rewrite nth_nseq jn. Qed.
Lemma one_weight (j : 'I_n) : value (nth BigZ.zero (nseq n BigZ.one) j) = 1.
Proof. by rewrite nth_nseq ltn_ord. Qed.
Lemma size_short : size vectors_short = n.
Proof. by rewrite size_mkseq. Qed.
Lemma size_short_rows j : (j < n)%N -> size (nth [::] vectors_short j) = n.
Proof. by have [_ _ _ rv] := sizes => jn; rewrite nth_mkseq // size_map rv. Qed.
Lemma size_ys : size ys = n.
Proof. by rewrite size_map size_short. Qed.

Lemma vectors_le (d : 'rV_n) : nsq (d *m Y) <= value hi * nsq d.
Proof.
have one0 : 0 <= value BigZ.one by rewrite value1 ler01.
have size_one : size (nseq n BigZ.one) = n by rewrite size_nseq.
have le := sums_le size_short size_short_rows size_one one_weights one0 near_vectors d.
apply: le_trans le _; rewrite /nsq mulr_sumr; apply: ler_sum => j _; rewrite one_weight divr1.
apply: ler_wpmul2r; first exact: sqr_ge0.
apply: value_largest; have -> : (sum_at ys j).2 = nth BigZ.zero (map snd ys) j.
  by rewrite (nth_map (BigZ.zero, BigZ.zero)) ?size_ys.
by apply: nth_In; rewrite size_map size_ys.
Qed.

Lemma vectors_ge (d : 'rV_n) : value lo * nsq d <= nsq (d *m Y).
Proof.
have one0 : 0 <= value BigZ.one by rewrite value1 ler01.
have size_one : size (nseq n BigZ.one) = n by rewrite size_nseq.
have le := sums_ge size_short size_short_rows size_one one_weights one0 near_vectors d.
apply: le_trans le; rewrite /nsq mulr_sumr; apply: ler_sum => j _; rewrite one_weight divr1.
apply: ler_wpmul2r; first exact: sqr_ge0.
rewrite -value2 -value_mul -value_sub; apply: value_least.
set f := (fun dg : integer * integer => _).
have -> : BigZ.sub (BigZ.mul BigZ.two (sum_at ys j).1) (sum_at ys j).2 = nth BigZ.zero (map f ys) j.
  by rewrite (nth_map (BigZ.zero, BigZ.zero)) ?size_ys.
by apply: nth_In; rewrite size_map size_ys.
Qed.

Let W (j : 'I_n) : real := value (nth BigZ.zero w j).
Let ratio (j : 'I_n) := cut_of j / (two_to (places c) * shift_of j).

Lemma product (d : 'rV[real]_n) : d *m Y *m A = (\row_j (d 0 j * ratio j)) *m B.
Proof.
rewrite -mulmxA; apply/rowP => k; rewrite !mxE; apply: eq_bigr => j _; rewrite !mxE -mulrA; congr (_ * _).
set x := \sum_(i < n) value (at2 v j i) * A i k.
have -> : \sum_i Y j i * A i k = x / shift_of j.
  by rewrite /x mulr_suml; apply: eq_bigr => i _; rewrite mxE mulrAC.
have -> : \sum_(i < n) value (at2 v j i) * (A i k * two_to (places c)) = two_to (places c) * x.
  by rewrite /x mulr_sumr; apply: eq_bigr => i _; rewrite mulrA mulrC.
have s0 : shift_of j != 0 by rewrite lt0r_neq0 ?two_to_gt0.
have c0 : cut_of j != 0 by rewrite lt0r_neq0 ?two_to_gt0.
have p0 : two_to (places c) != 0 by rewrite lt0r_neq0 ?two_to_gt0.
exact: cancel_factors.
Qed.

Lemma size_images : size images_short = n.
Proof. by rewrite size_mkseq. Qed.
Lemma size_image_rows j : (j < n)%N -> size (nth [::] images_short j) = m.
Proof. by have [sa _ _ _] := sizes => jn; rewrite nth_mkseq // size_map sa. Qed.
Lemma size_w : size w = n.
Proof. by have [_ _ sv _] := sizes; rewrite -[RHS]sv !size_map. Qed.
Lemma w_positive : positive n w.
Proof. by have [] := parts. Qed.
Lemma W_gt0 j : 0 < W j.
Proof. by have := all_iota w_positive (ltn_ord j : 0 <= j < n)%N => /value_ltb; rewrite value0. Qed.

Lemma beta_ge0 (j : 'I_n) : 0 <= value beta.
Proof.
have [_ _ _ rv] := sizes; have [_ wi _ _ _] := parts.
have := all_iota wi (ltn_ord j : 0 <= j < 0 + n)%N => /value_leb; rewrite value_mul value_sub value1 => len.
have : 0 <= (value beta - 1) * two_to (nth 0%uint63 (cuts c) j).
  by apply: le_trans len; rewrite (@value_length1 n) ?rv //; apply: sumr_ge0.
by rewrite pmulr_lge0 ?two_to_gt0 // subr_ge0; apply: le_trans; exact: ler01.
Qed.

Lemma images_le (j0 : 'I_n) (d : 'rV_n) :
  nsq (d *m Y *m A) <= \sum_(j < n) (value (sum_at s j).2 / W j * ratio j ^+ 2) * d 0 j ^+ 2.
Proof.
have le := sums_le size_images size_image_rows size_w w_positive (beta_ge0 j0) near_images (\row_j (d 0 j * ratio j)).
rewrite product; apply: le_trans le _; apply: ler_sum => j _.
by rewrite mxE (exprMn _ (d 0 j)) [d 0 j ^+ 2 * _]mulrC mulrA.
Qed.

Lemma images_ge (j0 : 'I_n) (d : 'rV_n) :
  \sum_(j < n) ((2 * value (sum_at s j).1 - value (sum_at s j).2 / W j) * ratio j ^+ 2) * d 0 j ^+ 2
  <= nsq (d *m Y *m A).
Proof.
have le := sums_ge size_images size_image_rows size_w w_positive (beta_ge0 j0) near_images (\row_j (d 0 j * ratio j)).
rewrite product; apply: le_trans le; apply: ler_sum => j _.
by rewrite mxE (exprMn _ (d 0 j)) -[X in X <= _]mulrA [ratio j ^+ 2 * _]mulrC.
Qed.

Lemma ratio_sqr (j : 'I_n) : ratio j ^+ 2 =
  value (nth BigZ.zero (mkseq (fun j => square (power_of_two (nth 0%uint63 (cuts c) j))) n) j) /
  value (nth BigZ.zero (mkseq (fun j => square (BigZ.mul (power_of_two (places c)) (power_of_two (nth 0%uint63 (shifts c) j)))) n) j).
Proof.
rewrite (nth_mkseq _ _ (ltn_ord j)) (nth_mkseq _ _ (ltn_ord j)) /square.
by rewrite (value_mul (power_of_two (nth _ _ _))) !(value_mul (BigZ.mul _ _)) !(value_mul (power_of_two (places c))) expr2 mulf_div.
Qed.

Lemma unit_gt0 (j : 'I_n) : 0 < value (nth BigZ.zero (mkseq (fun j =>
  square (BigZ.mul (power_of_two (places c)) (power_of_two (nth 0%uint63 (shifts c) j)))) n) j).
Proof.
have P0 := two_to_gt0 (places c); have S0 := two_to_gt0 (nth 0%uint63 (shifts c) j).
by rewrite nth_mkseq // /square !value_mul; apply: mulr_gt0; apply: mulr_gt0.
Qed.

Lemma lower_sound k : (0 < k <= n)%N -> let x := decimal_value (bound c k.-1).1 in x <= 0 \/ 0 <= x /\ sv_ge k A x.
Proof.
case: k => // k /= kn; have [_ _ _ _ H] := parts; have [+ _] := H k kn.
rewrite /lower_holds => /orP [/value_leb|le]; rewrite decimal_valueE; set d := (bound c k).1; set q := value (denominator d).
  by rewrite value0 => le; left; rewrite pmulr_lle0 // invr_gt0 denominator_gt0.
have q0 : 0 < q by exact: denominator_gt0.
case: (lerP (value (numerator d) / q) 0) => [|x0]; [by left | right; split; first exact: ltW].
have lo0 : 0 < value lo by have [_ _ _ /value_ltb +] := parts; rewrite value0.
apply: (at_least lo0 vectors_ge vectors_le kn (ltW x0) (images_ge (Ordinal kn))) => j jk.
have /value_leb := all_iota le (jk : 0 <= j < 0 + k.+1)%N.
rewrite !value_mul value_sub !value_mul value2 ratio_sqr -/(W j) -!expr2 expr_div_n => fact.
apply: scaled_ge; rewrite ?exprn_gt0 ?unit_gt0 ?W_gt0 //.
Qed.

Lemma upper_sound k : (0 < k <= n)%N -> let x := decimal_value (bound c k.-1).2 in
  0 <= x /\ forall t, 0 <= t -> sv_ge k A t -> t <= x.
Proof.
case: k => // k /= kn; have [_ _ _ _ H] := parts; have [_] := H k kn.
rewrite /upper_holds => /andP [/value_leb p0 le]; rewrite decimal_valueE; set d := (bound c k).2; set q := value (denominator d).
have q0 : 0 < q by exact: denominator_gt0.
have x0 : 0 <= value (numerator d) / q by apply: divr_ge0; [rewrite -value0 | exact: ltW].
split=> // t t0; have lo0 : 0 < value lo by have [_ _ _ /value_ltb +] := parts; rewrite value0.
apply: (at_most lo0 vectors_ge (isT : 0 < k.+1)%N t0 x0 (images_le (Ordinal kn))) => j jk.
have kj : (k <= j < k + (n - k))%N by rewrite subnKC ?ltn_ord ?andbT // ltnW.
have /value_leb := all_iota le kj.
rewrite !value_mul ratio_sqr -/(W j) -!expr2 expr_div_n => fact.
by apply: scaled_le; rewrite ?exprn_gt0 ?unit_gt0 ?W_gt0.
Qed.
End Soundness.

(** ** What is proven of a certificate that the check accepts

    Every singular value of every real matrix with entries in the certificate's intervals lies between its bounds; [sigma k A]
    is the k-th singular value of [Spectral.v]: max over k-dimensional spaces of min over unit vectors v in them of |v A|. *)
Theorem check_sound (c : certificate) (A : 'M[real]_(rows c, columns c)) : check c -> encloses A ->
  forall k, (0 < k <= rows c)%N ->
  decimal_value (bound c k.-1).1 <= sigma k A <= decimal_value (bound c k.-1).2.
Proof.
move=> ok inside k kn; have [s0 reached greatest] := sigmaP A kn.
have [p0 above] := upper_sound ok inside kn; apply/andP; split; last exact: above.
by have [le|[x0 ge]] := lower_sound ok inside kn; [exact: le_trans le s0 | exact: greatest].
Qed.

(** The same for a matrix with more rows than columns, whose transpose the certificate encloses. *)
Theorem check_sound_transposed (c : certificate) (A : 'M[real]_(columns c, rows c)) : check c -> encloses A^T ->
  forall k, (0 < k <= rows c)%N -> (k <= columns c)%N ->
  decimal_value (bound c k.-1).1 <= sigma k A <= decimal_value (bound c k.-1).2.
Proof.
move=> ok inside k kn km; have [k0 kr] := andP kn.
by rewrite -(sigma_tr A k0 km kr); exact: check_sound.
Qed.
