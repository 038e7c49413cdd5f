#include "engine/session/dlrm/int8_pipeline.h"

namespace octavo {

std::span<const DlrmRow> dlrm_int8_rows() {
  static constexpr DlrmRow kRows[] = {
      {"amx_int8", Isa::amx_int8,
       [](const DlrmData& data) {
         return prepare_int8(
             data, {dlrm_input_avx512_vnni, dlrm_layer_amx_int8, dlrm_dots_amx_int8, dlrm_last_avx512_vnni},
             {gather_features_avx512, true, bag_sum_avx512, quantize_features_avx512});
       }},
      {"avx512_vnni", Isa::avx512_vnni,
       [](const DlrmData& data) {
         return prepare_int8(data,
                             {dlrm_input_avx512_vnni, dlrm_layer_avx512_vnni, dlrm_dots_avx512_vnni,
                              dlrm_last_avx512_vnni, true},
                             {gather_features_avx512, true, bag_sum_avx512, quantize_features_avx512});
       }},
      {"avx2", Isa::avx2,
       [](const DlrmData& data) {
         return prepare_int8(data, {dlrm_input_avx2, dlrm_layer_avx2, dlrm_dots_avx2, dlrm_last_avx2},
                             {gather_features_reference, false, bag_sum_avx2, quantize_features_reference});
       }},
      {"reference", Isa::generic, prepare_int8_reference},
  };
  return kRows;
}

}  // namespace octavo
