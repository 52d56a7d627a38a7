(** * Entropies of sine and cosine features, from the symbol alone

    What is proved: FactorBounds.v for the singular values of A_AD and A_FD of sine and cosine features, whose ratios lie
    within the range of the symbol by SineOrdering.v. No norm of the matrices enters. *)

From Coq Require Import Reals Lra.
Set Warnings "-notation-overridden,-ambiguous-paths".
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import Stencils SineFactorisation SingularValues Spectral SineOrdering.
From adfd Require Import Entropy Majorisation EntropyBounds FactorBounds.
Local Open Scope R_scope.

(** The singular values as a spectrum, the largest with the index 0. *)
Definition spectrum M N (A : 'M[R]_(M, N)) (k : nat) : R := Spectral.sigma k.+1 A.

(** entropy.factor-bound. Sine or cosine features, any m >= 1, any symmetric stencil that is consistent with d^m/dx^m, any weights,
    biases and points, any h <> 0, M points and N features; r values kept in both, the r-th singular value of A_AD
    positive (with r = min(M, N): all of them), and 0 < d_min <= |m(h w_j)| <= d_max for every j. Then for every power q > 0
    |ln(p'_k / p_k)| <= q ln(d_max / d_min) for every k, and with rho = (d_max / d_min)^q the entropies differ by at most
    (rho - 1) min(H, H'), and for r >= 2 by at most the continuity bound at (sqrt rho - 1) / (sqrt rho + 1). *)
Theorem factor_bound_sine act m p S (h : R) (w b x : nat -> R) M N (dmin dmax q : R) (r : nat) :
  act = sin \/ act = cos -> (0 < m)%N -> order_conditions m p S -> Stencils.symmetric m S -> h <> 0 ->
  0 < dmin -> (forall j : 'I_N, dmin <= Rabs (factor m S (h * w j)) <= dmax) -> dmin <= dmax ->
  (0 < r)%N -> (r <= M)%N -> 0 < Spectral.sigma r (AD act m w b x M N) -> 0 < q ->
  let s := spectrum M N (AD act m w b x M N) in
  let s' := spectrum M N (FD act m S h w b x M N) in
  let rho := Rpower (dmax / dmin) q in
  (forall k, (k < r)%N -> Rabs (ln (probability q s' r k / probability q s r k)) <= q * ln (dmax / dmin)) /\
  Rabs (H q s' r - H q s r) <= (rho - 1) * Rmin (H q s r) (H q s' r) /\
  ((2 <= r)%N -> Rabs (H q s r - H q s' r) <= continuity_bound ((sqrt rho - 1) / (sqrt rho + 1)) r).
Proof.
move=> Hs m0 Ho Hsym h0 d0 Hd dd r0 rM sr q0 s s' rho.
have pos : positive s r.
  move=> k /ssrnat.ltP kr; apply: Rlt_le_trans sr _; apply/RleP.
  by apply: sigma_descending.
have bnd k : (k < r)%coq_nat -> dmin * s k <= s' k <= dmax * s k.
  move=> /ssrnat.ltP kr; have kM : (0 < k.+1 <= M)%N by exact: leq_trans kr rM.
  have h0' : h <> 0%R by exact: h0.
  have dmin0 : (@Order.le _ _ 0%R dmin) by apply/RleP; exact: Rlt_le d0.
  have dmax0 : (@Order.le _ _ 0%R dmax) by apply/RleP; exact: Rlt_le (Rlt_le_trans _ _ _ d0 dd).
  have Hd' (j : 'I_N) : (@Order.le _ _ dmin `|factor m S (h * w j)|%R) && (@Order.le _ _ `|factor m S (h * w j)|%R dmax).
    by apply/andP; split; apply/RleP; have [A B] := Hd j.
  have /andP[/RleP A /RleP B] := ostrowski_sine act m p S h w b x M N dmin dmax Hs m0 Ho Hsym h0' dmin0 dmax0 Hd' k.+1 kM.
  by split.
have r1 : (1 <= r)%coq_nat by apply/ssrnat.leP.
split; [|split].
- by move=> k /ssrnat.ltP kr; apply: factor_ratios.
- exact: factor_bound_ratio.
- by move=> /ssrnat.leP r2; apply: factor_bound_continuity.
Qed.
