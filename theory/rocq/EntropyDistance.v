(** * The distance of the probabilities of two matrices

    What is proved: EntropyBounds.distance_bound with Mirsky's theorem: under power 1 and equal cut-off numbers,
    T <= |A - B|_* / max(S, S'), with the nuclear norm and the sums of the values kept. *)

From Coq Require Import Reals Lra.
Set Warnings "-notation-overridden,-ambiguous-paths".
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import SingularValues Spectral Mirsky Entropy EntropyBounds.
Local Open Scope R_scope.

(** The singular values as a spectrum, the largest with the index 0; the nuclear norm is their sum. *)
Definition spectrum M N (A : 'M[R]_(M, N)) (k : nat) : R := Spectral.sigma k.+1 A.
Definition nuclear M N (A : 'M[R]_(M, N)) : R := Entropy.sum (spectrum M N A) (minn M N).

Lemma sum_big (f : nat -> R) n : Entropy.sum f n = (\sum_(k < n) f k)%R.
Proof. by elim: n => [|n IH]; rewrite ?big_ord0 // big_ord_recr /= IH. Qed.

Lemma mirsky_sum M N (A B : 'M[R]_(M, N)) :
  Entropy.sum (fun k => Rabs (spectrum M N A k - spectrum M N B k)) (minn M N) <= nuclear M N (A - B)%R.
Proof. by rewrite /nuclear !sum_big; apply/RleP; exact: mirsky. Qed.

(** entropy.distance-bound. For A and B of one shape, r values kept in both, r <= min(M, N), with positive sums. *)
Theorem distance_bound_matrices M N (A B : 'M[R]_(M, N)) r : (r <= minn M N)%N ->
  0 < Entropy.sum (spectrum M N A) r -> 0 < Entropy.sum (spectrum M N B) r ->
  total_variation (probability 1 (spectrum M N A) r) (probability 1 (spectrum M N B) r) r
  <= nuclear M N (A - B)%R / Rmax (Entropy.sum (spectrum M N A) r) (Entropy.sum (spectrum M N B) r).
Proof.
move=> /ssrnat.leP rn SA SB.
have pos (X : 'M[R]_(M, N)) k : (k < minn M N)%coq_nat -> 0 <= spectrum M N X k.
  move=> /ssrnat.ltP; rewrite leq_min => /andP[kM _]; apply/RleP; apply: sigma_ge0.
  by rewrite kM.
exact: distance_bound rn (pos A) (pos B) SA SB (mirsky_sum M N A B).
Qed.
