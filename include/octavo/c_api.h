#ifndef OCTAVO_C_API_H
#define OCTAVO_C_API_H
/* The C interface of a model library (saved_model.tar.so) and of liboctavo_model.so. Plain C99; every symbol
   has the version OCTAVO_1, and what is here stays as it is.

     octavo_model* model;
     octavo_session* session;
     octavo_model_attached(NULL, &model);
     octavo_session_open(model, 1, NULL, &session);
     octavo_session_set_input(session, "x", &picture);
     octavo_session_run(session);
     octavo_session_output(session, "logits", &logits);

   A function that returns an octavo_status did its work if that is OCTAVO_OK; otherwise octavo_last_error()
   tells this thread what was wrong, and what the function should have filled in is untouched. No function
   prints, exits or throws. All functions may be called by several threads at the same time; calls for one
   session wait for each other. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OCTAVO_MAX_RANK 8

typedef struct octavo_model octavo_model;
typedef struct octavo_session octavo_session;

typedef enum octavo_status {
  OCTAVO_OK = 0,
  OCTAVO_INVALID_ARGUMENT = 1, /* a name, shape or dtype that the model does not have; a null pointer */
  OCTAVO_INVALID_MODEL = 2,    /* a damaged or truncated package */
  OCTAVO_UNSUPPORTED = 3,      /* this CPU or this library has no way to do it */
  OCTAVO_IO = 4,               /* the operating system refused */
  OCTAVO_INTERNAL = 5          /* a defect of Octavo, or no memory */
} octavo_status;

typedef enum octavo_dtype {
  OCTAVO_F32 = 0,
  OCTAVO_F16 = 1,
  OCTAVO_BF16 = 2,
  OCTAVO_F64 = 3,
  OCTAVO_U8 = 4,
  OCTAVO_S8 = 5,
  OCTAVO_U16 = 6,
  OCTAVO_S16 = 7,
  OCTAVO_S32 = 8,
  OCTAVO_S64 = 9,
  OCTAVO_BOOLEAN = 10
} octavo_dtype;

/* A dense row-major array in somebody's memory. */
typedef struct octavo_array {
  const void* data;
  octavo_dtype dtype;
  size_t rank;
  int64_t shape[OCTAVO_MAX_RANK];
} octavo_array;

/* An input or output. `name` lives as long as the model. */
typedef struct octavo_port {
  const char* name;
  octavo_dtype dtype;
  size_t rank;
  int64_t shape[OCTAVO_MAX_RANK]; /* for a batch of 1 */
  int is_batched;                 /* whether shape[0] is multiplied by the batch size */
} octavo_port;

/* "0.1.0" */
const char* octavo_version(void);
/* What the last function of this thread that failed had to say: one line, never null, valid until this
   thread's next failure. */
const char* octavo_last_error(void);

/* The package that this library carries. `weights` is a package file for a library made with --weights
   external, else NULL. */
octavo_status octavo_model_attached(const char* weights, octavo_model** model);
/* A package file (saved_model.tar), mapped into memory. */
octavo_status octavo_model_open(const char* path, octavo_model** model);
/* A package file's `bytes` bytes at `data`, which must stay until the model and its sessions are closed.
   Aligned to 64 bytes, or they are copied. */
octavo_status octavo_model_read(const void* data, size_t bytes, octavo_model** model);
/* Sessions stay usable. NULL is allowed. */
void octavo_model_close(octavo_model* model);

const char* octavo_model_name(const octavo_model* model);
size_t octavo_model_input_count(const octavo_model* model);
size_t octavo_model_output_count(const octavo_model* model);
octavo_status octavo_model_input(const octavo_model* model, size_t index, octavo_port* port);
octavo_status octavo_model_output(const octavo_model* model, size_t index, octavo_port* port);

/* One instance with `threads` threads, pinned to `cpus` ("0-3,8", one for each thread) unless that is NULL.
   Sessions of one model share its weights. */
octavo_status octavo_session_open(const octavo_model* model, int threads, const char* cpus,
                                  octavo_session** session);
/* NULL is allowed. */
void octavo_session_close(octavo_session* session);

/* Gives an input. Its data is not copied: it is read by octavo_session_run and must stay until then. */
octavo_status octavo_session_set_input(octavo_session* session, const char* name, const octavo_array* value);
/* Computes all outputs, for the batch size that the inputs have. */
octavo_status octavo_session_run(octavo_session* session);
/* The session's own memory with the last run's result; valid until the session's next run. */
octavo_status octavo_session_output(octavo_session* session, const char* name, octavo_array* value);

#ifdef __cplusplus
}
#endif
#endif
