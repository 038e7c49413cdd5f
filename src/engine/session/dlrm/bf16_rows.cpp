#include "engine/session/dlrm/bf16_pipeline.h"
#include "engine/session/dlrm/float_pipeline.h"

namespace octavo {

std::span<const DlrmRow> dlrm_bf16_rows() {
  static constexpr DlrmRow kRows[] = {
      {"amx_bf16", Isa::amx_int8,
       [](const DlrmData& data) {
         return prepare_bf16(
             data, {dlrm_input_avx512_bf16, dlrm_layer_amx_bf16, dlrm_dots_amx_bf16, dlrm_last_avx512_bf16},
             {bag_sum_avx512, dlrm_codes_avx512_bf16, dlrm_round_avx512_bf16});
       },
       CpuFeature::amx_bf16},
      {"avx512_bf16", Isa::avx512_vnni,
       [](const DlrmData& data) {
         return prepare_bf16(
             data,
             {dlrm_input_avx512_bf16, dlrm_layer_avx512_bf16, dlrm_dots_avx512_bf16, dlrm_last_avx512_bf16},
             {bag_sum_avx512, dlrm_codes_avx512_bf16, dlrm_round_avx512_bf16});
       },
       CpuFeature::avx512_bf16},
      {"avx512", Isa::avx512,
       [](const DlrmData& data) { return prepare_rounded_to_bf16(data, Isa::avx512); }},
      {"avx2", Isa::avx2, [](const DlrmData& data) { return prepare_rounded_to_bf16(data, Isa::avx2); }},
      {"reference", Isa::generic, prepare_bf16_reference},
  };
  return kRows;
}

}  // namespace octavo
