(** A checker of certificates of singular values, proven correct: [check c = true] implies that every singular value of every
    real matrix whose entries lie in the dyadic intervals of [c] lies between the bounds that [c] states.

    [c] holds the intervals, approximate left singular vectors as rows of integers, and the bounds. Nothing of the vectors has to
    be believed: the checker multiplies, truncates, takes Gram matrices and compares, in integers of 63-bit words ([BigZ]), so that
    [vm_compute] evaluates it. The theorem behind it is in [GramBounds.v]. *)
From Coq Require Import ZArith Lia Reals Uint63.
From Bignums Require Import BigZ.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import GramBounds.
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
