(** The checker of certificates with the entries enclosed in the kernel as well: nothing but the kernel is believed of the
    singular values of matrices of sin, cos, exp and tanh features at rational data. *)
From Coq Require Import ZArith Reals Uint63.
From Bignums Require Import BigZ.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.analysis Require Import Rstruct.
From adfd Require Import SingularValues Spectral GramBounds Checker.
From adfd Require Features.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
Local Notation real := Rdefinitions.R.

(** The matrix whose entries are the sums of derivatives of the activation that a table lists, column by column. *)
Definition feature_matrix n m (s : Features.activation) (t : seq (seq (seq Features.term))) : 'M[real]_(n, m) :=
  \matrix_(i, k) Features.entry s (nth [::] (nth [::] t k) i).

(** The entries lie in the certificate's intervals: evaluated with so many bits. *)
Definition check_entries (bits : BinNums.positive) (s : Features.activation) (t : seq (seq (seq Features.term))) (c : certificate) :=
  let prec := Features.F.PtoP bits in let a := matrix_integers c in
  let unit := Z.pow 2 (Uint63.to_Z (places c)) in
  all (fun k => let column := nth [::] t k in let integers := nth [::] a k in
    all (fun i => Features.check_entry prec s (nth [::] column i) unit (BigZ.to_Z (nth BigZ.zero integers i)))
      (iota 0 (rows c))) (iota 0 (columns c)).

Lemma check_entries_encloses bits s t c : check_entries bits s t c -> encloses (feature_matrix (rows c) (columns c) s t).
Proof.
move=> ok i k; have := all_iota ok (ltn_ord k : 0 <= k < 0 + columns c)%N.
move/all_iota/(_ (ltn_ord i : 0 <= i < 0 + rows c)%N)/Features.check_entry_correct => /RleP near.
have P0 := two_to_gt0 (places c).
rewrite mxE ler_pdivl_mulr // -[X in _ * X](gtr0_norm P0) -normrM mulrBl divfK ?lt0r_neq0 //.
by rewrite two_toE.
Qed.

(** ** What is proven of a feature matrix: no enclosure is taken from elsewhere. *)
Theorem features_sound bits s t c : check c -> check_entries bits s t c -> forall k, (0 < k <= rows c)%N ->
  decimal_value (bound c k.-1).1 <= sigma k (feature_matrix (rows c) (columns c) s t) <= decimal_value (bound c k.-1).2.
Proof. by move=> ok inside; apply: check_sound ok (check_entries_encloses inside). Qed.

(** The same for the transposed matrix. *)
Theorem features_sound_transposed bits s t c : check c -> check_entries bits s t c ->
  forall k, (0 < k <= rows c)%N -> (k <= columns c)%N ->
  decimal_value (bound c k.-1).1 <= sigma k (feature_matrix (rows c) (columns c) s t)^T <= decimal_value (bound c k.-1).2.
Proof.
by move=> ok inside; apply: check_sound_transposed ok _; rewrite trmxK; exact: check_entries_encloses inside.
Qed.
