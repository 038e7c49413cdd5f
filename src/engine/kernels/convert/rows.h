#pragma once
#include "engine/kernels/convert/dynamic_problem.h"
#include "engine/kernels/convert/problem.h"
#include "engine/kernels/element_types.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// How an operand is quantized: one Affine, or one per channel.
std::vector<Affine> affines_of(const ConvertProblem& problem, const Operand& operand);

Support convert_reference_supports(const ConvertProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_convert_reference(const ConvertProblem& problem, const Operands& operands);

/// f32 to 8 bits, flat or three planes to pixels; 8 bits to f32, flat.
Support convert_vector_supports(const ConvertProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_convert_avx2(const ConvertProblem& problem, const Operands& operands);
std::unique_ptr<Prepared> prepare_convert_avx512(const ConvertProblem& problem, const Operands& operands);

/// Requantizing per tensor.
Support convert_table_supports(const ConvertProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_convert_table(const ConvertProblem& problem, const Operands& operands);
std::unique_ptr<Prepared> prepare_convert_table_avx512_vnni(const ConvertProblem& problem,
                                                            const Operands& operands);

Support dynamic_quantize_reference_supports(const DynamicQuantizeProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_dynamic_quantize_reference(const DynamicQuantizeProblem& problem,
                                                             const Operands& operands);

}  // namespace octavo
