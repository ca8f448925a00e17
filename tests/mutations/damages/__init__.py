"""What goes wrong when a model is converted, done to an ONNX file that was converted well.

A damage changes the model in place and says whether there was anything to damage. None of them raises an error in
onnx or onnxruntime: that is what makes them dangerous.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from onnx import ModelProto
from slipway.domain.rows import Batch

from tests.mutations.damages import answers, categories, columns, scaling, trees, weights

Damage: TypeAlias = Callable[[ModelProto, Batch], bool]

_KINDS: tuple[Damage, ...] = (
    columns.swap_two_columns,
    columns.rotate_the_columns,
    columns.read_inputs_in_half_precision,
    columns.cut_off_the_fractions_of_inputs,
    columns.clip_whole_numbers,
    scaling.drop_the_scaler,
    scaling.drop_the_mean_of_the_scaler,
    scaling.scale_in_float32,
    scaling.truncate_float64_constants,
    scaling.normalise_with_epsilon_of_1e_5,
    scaling.normalise_with_epsilon_of_9e_4,
    weights.keep_weights_in_half_precision,
    weights.keep_four_digits_of_weights,
    weights.flip_the_sign_of_one_weight,
    weights.lose_one_weight,
    weights.move_one_weight_by_a_hundredth,
    weights.transpose_the_weights,
    weights.drop_the_bias,
    categories.shift_all_categories_by_one,
    categories.confuse_the_rarest_category,
    categories.answer_unknown_words_otherwise,
    trees.compare_with_less_for_less_or_equal,
    trees.move_all_thresholds_up_one_float,
    trees.move_all_thresholds_down_one_float,
    trees.move_the_first_threshold_one_float,
    trees.round_thresholds_to_four_digits,
    trees.send_missing_values_to_the_other_side,
    trees.lose_the_last_tree,
    trees.lose_the_first_tree,
    answers.replace_the_activation,
    answers.normalise_probabilities_along_the_rows,
    answers.swap_the_answers_columns,
)
DAMAGES: Mapping[str, Damage] = {damage.__name__.replace("_", " "): damage for damage in _KINDS}
