/* Scores raw floats with a model library:  cc -Iinclude examples/score.c -o score -ldl
   ./score saved_model_0.tar.so BATCH input.f32 output.f32 */
#include <dlfcn.h>
#include <octavo/c_api.h>
#include <stdio.h>
#include <stdlib.h>

#define GET(name) __typeof__(&name) name = dlsym(library, #name)
#define CHECK(call) \
  if ((call) != OCTAVO_OK) return fprintf(stderr, "%s\n", octavo_last_error()), 1

int main(int argc, char** argv) {
  void* library = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (library == NULL) return fprintf(stderr, "usage: score MODEL.so BATCH INPUT OUTPUT\n"), 2;
  GET(octavo_last_error); GET(octavo_model_attached); GET(octavo_model_input); GET(octavo_model_output);
  GET(octavo_session_open); GET(octavo_session_set_input); GET(octavo_session_run); GET(octavo_session_output);

  octavo_model* model;
  octavo_session* session;
  octavo_port in, out;
  CHECK(octavo_model_attached(NULL, &model));
  CHECK(octavo_session_open(model, 2, NULL, &session));
  CHECK(octavo_model_input(model, 0, &in));
  CHECK(octavo_model_output(model, 0, &out));

  octavo_array x = {NULL, in.dtype, in.rank, {0}}, y;
  size_t count = 1, results = 1;
  for (size_t i = 0; i < in.rank; ++i) count *= x.shape[i] = in.shape[i] * (i == 0 ? atoi(argv[2]) : 1);
  float* data = malloc(count * sizeof *data);
  FILE* file = fopen(argv[3], "rb");
  if (file == NULL || fread(data, sizeof *data, count, file) != count) return fprintf(stderr, "%s is short\n", argv[3]), 1;
  x.data = data;
  CHECK(octavo_session_set_input(session, in.name, &x));
  CHECK(octavo_session_run(session));
  CHECK(octavo_session_output(session, out.name, &y));
  for (size_t i = 0; i < y.rank; ++i) results *= y.shape[i];
  file = fopen(argv[4], "wb");
  return file == NULL || fwrite(y.data, sizeof *data, results, file) != results || fclose(file) != 0;
}
