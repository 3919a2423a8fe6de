/* A state dict that torch.save() wrote: a zip archive with NAME/data.pkl, a pickle that says which
 * tensors there are, and NAME/data/KEY, their bytes.
 *
 * A pickle is a program for a small stack machine that may call any function of Python. This one
 * knows what a dictionary of tensors needs and refuses all else by its name: nothing is called,
 * nothing is imported. Work and memory are linear in the pickle's bytes; there is no recursion.
 * https://docs.python.org/3/library/pickletools.html; torch/_utils.py. */
#include "checkpoint/table.h"
#include "checkpoint/torch.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PICKLE_BYTES (16u << 20) /* there are about 150 for each tensor */

typedef enum {
  MARK,
  NOTHING, /* None, numbers with a fraction: nothing that a tensor is made of */
  NUMBER,
  TEXT,
  TUPLE,
  LIST, /* what is in it is dropped */
  DICT,
  GLOBAL,
  STORAGE,
  TENSOR,
} Kind;

static const char *const kind_names[] = {
    "a mark",    "a value", "a number",     "a text",
    "a tuple",   "a list",  "a dictionary", "a function or class",
    "a storage", "a tensor"};

typedef enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, STORAGE_CLASS } Function;

typedef struct {
  const char *module, *name;
  Function function;
  ModelType type;    /* of a storage's values */
  uint32_t bytes;    /* of one of them */
  const char *dtype; /* for messages */
} Known;

typedef struct {
  Kind kind;
  union {
    int64_t number;
    struct {
      const char *text;
      size_t length;
    };
    struct {
      uint32_t first, count; /* of a tuple, in items */
    };
    uint32_t index; /* of a dictionary, a storage, a tensor */
    const Known *known;
  };
} Value;

typedef struct {
  const Known *known;
  const uint8_t *data;
  uint64_t n_values;
} Storage;

typedef struct {
  uint32_t dict;
  Value key, value;
} Pair;

/* A growing array of one of the types above. */
typedef struct {
  void *data;
  size_t n, capacity;
} Array;

typedef struct {
  const ModelMapping *mapping;
  const ModelZip *zip;
  const char *folder; /* of the archive, with its slash */
  size_t n_folder;
  const uint8_t *pickle;
  uint64_t n, at;
  Array stack, memo, items, storages, tensors,
      pairs; /* Value x 3, Storage, ModelTableEntry, Pair */
  uint32_t n_dicts;
  ModelError *err;
} Machine;

static const Known known[] = {
    {"collections", "OrderedDict", ORDERED_DICT, 0, 0, NULL},
    {"torch._utils", "_rebuild_tensor_v2", REBUILD_TENSOR, 0, 0, NULL},
    {"torch._utils", "_rebuild_parameter", REBUILD_PARAMETER, 0, 0, NULL},
    {"torch", "FloatStorage", STORAGE_CLASS, MODEL_TYPE_F32, 4, "float32"},
    {"torch", "HalfStorage", STORAGE_CLASS, MODEL_TYPE_F16, 2, "float16"},
    {"torch", "BFloat16Storage", STORAGE_CLASS, MODEL_TYPE_BF16, 2, "bfloat16"},
    {"torch", "DoubleStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 8, "float64"},
    {"torch", "LongStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 8, "int64"},
    {"torch", "IntStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 4, "int32"},
    {"torch", "ShortStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 2, "int16"},
    {"torch", "CharStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 1, "int8"},
    {"torch", "ByteStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 1, "uint8"},
    {"torch", "BoolStorage", STORAGE_CLASS, MODEL_TYPE_NOT_READ, 1, "bool"},
};

__attribute__((format(printf, 2, 3))) static bool
broken(const Machine *m, const char *format, ...)
{
  char what[256];
  va_list args;

  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return model_fail(m->err, MODEL_ERROR_CORRUPT, "%s: pickle, byte %llu: %s", m->mapping->path,
                    (unsigned long long)m->at, what);
}

/* The new last item, or NULL without memory. No array gets more items than the pickle has bytes. */
static void *
grow(Machine *m, Array *array, size_t item)
{
  if (array->n == array->capacity) {
    size_t capacity = 2 * array->capacity + 64;
    void *grown = realloc(array->data, capacity * item);
    if (!grown) {
      model_fail(m->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", m->mapping->path);
      return NULL;
    }
    array->data = grown;
    array->capacity = capacity;
  }
  return (uint8_t *)array->data + item * array->n++;
}

static bool
push(Machine *m, Value value)
{
  Value *top = grow(m, &m->stack, sizeof value);

  if (top)
    *top = value;
  return top;
}

static bool
push_kind(Machine *m, Kind kind)
{
  return push(m, (Value){.kind = kind});
}

static bool
push_number(Machine *m, int64_t number)
{
  return push(m, (Value){.kind = NUMBER, .number = number});
}

static Value *
stack_at(const Machine *m, size_t from_top)
{
  return (Value *)m->stack.data + (m->stack.n - 1 - from_top);
}

/* Whether COUNT values lie on the stack, above a mark or not. */
static bool
have(Machine *m, size_t count)
{
  if (m->stack.n < count)
    return broken(m, "%zu values are needed, %zu are on the stack", count, m->stack.n);
  for (size_t i = 0; i < count; i++)
    if (stack_at(m, i)->kind == MARK)
      return broken(m, "a mark where a value is needed");
  return true;
}

/* Values above the last mark. */
static bool
above_mark(Machine *m, size_t *count)
{
  for (*count = 0; *count < m->stack.n; ++*count)
    if (stack_at(m, *count)->kind == MARK)
      return true;
  return broken(m, "no mark on the stack");
}

static const uint8_t *
take(Machine *m, uint64_t n)
{
  const uint8_t *bytes = m->pickle + m->at;

  if (n > m->n - m->at) {
    broken(m, "%llu bytes are needed, %llu are left", (unsigned long long)n,
           (unsigned long long)(m->n - m->at));
    return NULL;
  }
  m->at += n;
  return bytes;
}

static bool
take_number(Machine *m, unsigned n, uint64_t *number)
{
  const uint8_t *bytes = take(m, n);

  *number = 0;
  for (unsigned i = n; bytes && i-- > 0;)
    *number = *number << 8 | bytes[i];
  return bytes;
}

/* A text after a length of N bytes. */
static bool
push_text(Machine *m, unsigned n)
{
  uint64_t length;
  const uint8_t *text;

  if (!take_number(m, n, &length) || !(text = take(m, length)))
    return false;
  return push(m, (Value){.kind = TEXT, .text = (const char *)text, .length = (size_t)length});
}

/* A number of any length in two's complement; sizes and offsets fit into eight bytes. */
static bool
push_long(Machine *m)
{
  uint64_t n, value = 0;
  const uint8_t *bytes;

  if (!take_number(m, 1, &n) || !(bytes = take(m, n)))
    return false;
  if (n > 8)
    return push_kind(m, NOTHING);
  for (uint64_t i = n; i-- > 0;)
    value = value << 8 | bytes[i];
  if (n > 0 && n < 8 && bytes[n - 1] & 0x80)
    value |= UINT64_MAX << 8 * n;
  return push_number(m, (int64_t)value);
}

/* ---- memory ------------------------------------------------------------------------------- */

static bool
put(Machine *m, uint64_t index)
{
  if (!have(m, 1))
    return false;
  if (index > m->at)
    return broken(m, "memo %llu after so few", (unsigned long long)index);
  while (m->memo.n <= index) {
    Value *value = grow(m, &m->memo, sizeof *value);
    if (!value)
      return false;
    *value = (Value){.kind = MARK}; /* not set */
  }
  ((Value *)m->memo.data)[index] = *stack_at(m, 0);
  return true;
}

static bool
get(Machine *m, uint64_t index)
{
  const Value *memo = m->memo.data;

  if (index >= m->memo.n || memo[index].kind == MARK)
    return broken(m, "memo %llu was never put", (unsigned long long)index);
  return push(m, memo[index]);
}

/* ---- containers --------------------------------------------------------------------------- */

/* The COUNT values on top become a tuple; with MARKED the mark below them goes too. */
static bool
make_tuple(Machine *m, size_t count, bool marked)
{
  Value tuple = {.kind = TUPLE, .first = (uint32_t)m->items.n, .count = (uint32_t)count};

  if (!have(m, count))
    return false;
  for (size_t i = count; i-- > 0;) {
    Value *item = grow(m, &m->items, sizeof *item);
    if (!item)
      return false;
    *item = *stack_at(m, i);
  }
  m->stack.n -= count + marked;
  return push(m, tuple);
}

static bool
make_dict(Machine *m)
{
  return push(m, (Value){.kind = DICT, .index = m->n_dicts++});
}

/* COUNT keys and values in turn on top go into the dictionary below them. */
static bool
set_items(Machine *m, size_t count, bool marked)
{
  const Value *dict;

  if (count % 2 || m->stack.n < count + marked + 1)
    return broken(m, "%zu keys and values, or no dictionary for them", count);
  dict = stack_at(m, count + marked);
  if (dict->kind != DICT)
    return broken(m, "items for %s, expected a dictionary", kind_names[dict->kind]);
  for (size_t i = count; i > 0; i -= 2) {
    Pair *pair = grow(m, &m->pairs, sizeof *pair);
    if (!pair)
      return false;
    *pair = (Pair){dict->index, *stack_at(m, i - 1), *stack_at(m, i - 2)};
  }
  m->stack.n -= count + marked;
  return true;
}

static bool
append(Machine *m, size_t count, bool marked)
{
  if (m->stack.n < count + marked + 1 || stack_at(m, count + marked)->kind != LIST)
    return broken(m, "items, but no list for them");
  m->stack.n -= count + marked;
  return true;
}

/* ---- functions ---------------------------------------------------------------------------- */

static bool
push_global(Machine *m, const char *module, size_t n_module, const char *name, size_t n_name)
{
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strlen(known[i].module) == n_module && memcmp(known[i].module, module, n_module) == 0 &&
        strlen(known[i].name) == n_name && memcmp(known[i].name, name, n_name) == 0)
      return push(m, (Value){.kind = GLOBAL, .known = &known[i]});
  return model_fail(m->err, MODEL_ERROR_UNSUPPORTED,
                    "%s: pickle, byte %llu: asks for %.*s.%.*s, which a dictionary of tensors does "
                    "not need and which is never run here; save the tensors alone, best as "
                    "safetensors",
                    m->mapping->path, (unsigned long long)m->at, n_module < 80 ? (int)n_module : 80,
                    module, n_name < 80 ? (int)n_name : 80, name);
}

static bool
read_line(Machine *m, const char **text, size_t *length)
{
  const uint8_t *end = memchr(m->pickle + m->at, '\n', (size_t)(m->n - m->at));

  if (!end)
    return broken(m, "a line without an end");
  *text = (const char *)m->pickle + m->at;
  *length = (size_t)(end - (m->pickle + m->at));
  m->at += *length + 1;
  return true;
}

static bool
op_global(Machine *m)
{
  const char *module = NULL, *name = NULL;
  size_t n_module = 0, n_name = 0;

  return read_line(m, &module, &n_module) && read_line(m, &name, &n_name) &&
         push_global(m, module, n_module, name, n_name);
}

static bool
op_stack_global(Machine *m)
{
  Value module, name;

  if (!have(m, 2))
    return false;
  module = *stack_at(m, 1);
  name = *stack_at(m, 0);
  if (module.kind != TEXT || name.kind != TEXT)
    return broken(m, "a function's name that is no text");
  m->stack.n -= 2;
  return push_global(m, module.text, module.length, name.text, name.length);
}

/* ("storage", class, key, place, number of values) */
static bool
op_persistent(Machine *m)
{
  const Value *items;
  const ModelZipEntry *entry;
  Storage *storage;
  char path[64];
  Value id;

  if (!have(m, 1))
    return false;
  id = *stack_at(m, 0);
  if (id.kind != TUPLE || id.count != 5)
    return broken(m, "a storage that is described by %s", kind_names[id.kind]);
  items = (const Value *)m->items.data + id.first;
  if (items[0].kind != TEXT || items[1].kind != GLOBAL ||
      items[1].known->function != STORAGE_CLASS || items[2].kind != TEXT ||
      items[4].kind != NUMBER || items[4].number < 0 || items[2].length > 40)
    return broken(m, "a storage that is not described as torch.save() does it");
  snprintf(path, sizeof path, "data/%.*s", (int)items[2].length, items[2].text);
  entry = model_zip_find(m->zip, m->folder, m->n_folder, path, strlen(path));
  if (!entry)
    return broken(m, "storage %s is not in the archive", path);
  if ((uint64_t)items[4].number > entry->size / items[1].known->bytes)
    return broken(m, "storage %s: %llu values of %s, but %llu bytes", path,
                  (unsigned long long)items[4].number, items[1].known->dtype,
                  (unsigned long long)entry->size);
  storage = grow(m, &m->storages, sizeof *storage);
  if (!storage)
    return false;
  *storage = (Storage){items[1].known, entry->data, (uint64_t)items[4].number};
  m->stack.n--;
  return push(m, (Value){.kind = STORAGE, .index = (uint32_t)m->storages.n - 1});
}

/* SIZE and STRIDE into the tensor's shape. More dimensions than a role has, and steps that are not
 * those of a whole array, make it one that is not read. */
static bool
read_shape(Machine *m, const Value *size, const Value *stride, ModelTableEntry *entry,
           uint64_t *n_values)
{
  const Value *sizes = m->items.data, *strides = m->items.data;
  uint64_t n = 1;

  if (size->count != stride->count)
    return broken(m, "a tensor of %u sizes and %u strides", size->count, stride->count);
  sizes += size->first;
  strides += stride->first;
  for (uint32_t i = size->count; i-- > 0;) {
    if (sizes[i].kind != NUMBER || sizes[i].number < 0 || strides[i].kind != NUMBER)
      return broken(m, "a tensor's size or stride that is no whole number");
    if (sizes[i].number != 1 && (uint64_t)strides[i].number != n) {
      entry->tensor.type = MODEL_TYPE_NOT_READ;
      entry->type_name = "of a view that is not contiguous";
    }
    if (__builtin_mul_overflow(n, (uint64_t)sizes[i].number, &n))
      return broken(m, "a tensor's size overflows");
    if (i < 4)
      entry->tensor.shape[i] = (uint64_t)sizes[i].number;
  }
  if (size->count > 4)
    entry->tensor.type = MODEL_TYPE_NOT_READ;
  entry->tensor.n_dims = size->count < 4 ? size->count : 4;
  *n_values = n;
  return true;
}

/* (storage, offset, size, stride, ...) */
static bool
rebuild_tensor(Machine *m, const Value *args)
{
  const Value *items = m->items.data;
  ModelTableEntry entry = {.mapping = m->mapping}, *made;
  const Storage *storage;
  uint64_t n = 0, offset;

  if (args->count < 4)
    return broken(m, "a tensor made of %u arguments", args->count);
  items += args->first;
  if (items[0].kind != STORAGE || items[1].kind != NUMBER || items[1].number < 0 ||
      items[2].kind != TUPLE || items[3].kind != TUPLE)
    return broken(m, "a tensor that is not made as torch.save() does it");
  storage = (const Storage *)m->storages.data + items[0].index;
  offset = (uint64_t)items[1].number;
  entry.tensor.type = storage->known->type;
  entry.type_name = storage->known->dtype;
  if (!read_shape(m, &items[2], &items[3], &entry, &n))
    return false;
  if (entry.tensor.type == MODEL_TYPE_NOT_READ && n > storage->n_values)
    n = 0; /* a view may be larger than what it looks at */
  if (offset > storage->n_values || n > storage->n_values - offset)
    return broken(m, "a tensor of %llu values at %llu of a storage of %llu", (unsigned long long)n,
                  (unsigned long long)offset, (unsigned long long)storage->n_values);
  entry.tensor.data = storage->data + offset * storage->known->bytes;
  entry.tensor.n_bytes = n * storage->known->bytes;
  made = grow(m, &m->tensors, sizeof *made);
  if (!made)
    return false;
  *made = entry;
  m->stack.n -= 2;
  return push(m, (Value){.kind = TENSOR, .index = (uint32_t)m->tensors.n - 1});
}

/* A function and a tuple of arguments on the stack. */
static bool
op_reduce(Machine *m)
{
  Value function, args;

  if (!have(m, 2))
    return false;
  function = *stack_at(m, 1);
  args = *stack_at(m, 0);
  if (function.kind != GLOBAL || args.kind != TUPLE || function.known->function == STORAGE_CLASS)
    return broken(m, "a call of %s with %s", kind_names[function.kind], kind_names[args.kind]);
  if (function.known->function == REBUILD_TENSOR)
    return rebuild_tensor(m, &args);
  if (function.known->function == REBUILD_PARAMETER && args.count > 0) {
    const Value of = ((const Value *)m->items.data)[args.first];
    if (of.kind != TENSOR)
      return broken(m, "a parameter of %s", kind_names[of.kind]);
    m->stack.n -= 2;
    return push(m, of);
  }
  if (function.known->function != ORDERED_DICT || args.count != 0)
    return broken(m, "%s with %u arguments, which it is never called with by torch.save()",
                  function.known->name, args.count);
  m->stack.n -= 2;
  return make_dict(m);
}

/* Attributes of a dictionary (_metadata) are of no use here. */
static bool
op_build(Machine *m)
{
  if (!have(m, 2))
    return false;
  if (stack_at(m, 1)->kind != DICT)
    return broken(m, "attributes for %s, expected a dictionary", kind_names[stack_at(m, 1)->kind]);
  m->stack.n--;
  return true;
}

/* ---- the program -------------------------------------------------------------------------- */

/* Operations on numbers and texts. *DONE: it was one of them. */
static bool
step_value(Machine *m, uint8_t op, bool *done)
{
  uint64_t number;

  *done = true;
  switch (op) {
  case 'N':
    return push_kind(m, NOTHING);
  case 0x88: /* True */
  case 0x89:
    return push_number(m, op == 0x88);
  case 'K':
    return take_number(m, 1, &number) && push_number(m, (int64_t)number);
  case 'M':
    return take_number(m, 2, &number) && push_number(m, (int64_t)number);
  case 'J':
    return take_number(m, 4, &number) && push_number(m, (int32_t)number);
  case 0x8a:
    return push_long(m);
  case 'G':
    return take(m, 8) && push_kind(m, NOTHING);
  case 'X':
  case 'T':
    return push_text(m, 4);
  case 0x8c:
  case 'U':
    return push_text(m, 1);
  case 0x8d:
    return push_text(m, 8);
  case 'q':
    return take_number(m, 1, &number) && put(m, number);
  case 'r':
    return take_number(m, 4, &number) && put(m, number);
  case 0x94:
    return put(m, m->memo.n);
  case 'h':
    return take_number(m, 1, &number) && get(m, number);
  case 'j':
    return take_number(m, 4, &number) && get(m, number);
  default:
    *done = false;
    return true;
  }
}

static bool
step_container(Machine *m, uint8_t op)
{
  size_t count;

  switch (op) {
  case 0x80: /* PROTO */
    return take(m, 1);
  case 0x95: /* FRAME */
    return take(m, 8);
  case '(':
    return push_kind(m, MARK);
  case ')':
    return make_tuple(m, 0, false);
  case 0x85:
  case 0x86:
  case 0x87:
    return make_tuple(m, op - 0x84u, false);
  case 't':
    return above_mark(m, &count) && make_tuple(m, count, true);
  case ']':
    return push_kind(m, LIST);
  case 'a':
    return append(m, 1, false);
  case 'e':
    return above_mark(m, &count) && append(m, count, true);
  case '}':
    return make_dict(m);
  case 's':
    return have(m, 2) && set_items(m, 2, false);
  case 'u':
    return above_mark(m, &count) && set_items(m, count, true);
  case 'c':
    return op_global(m);
  case 0x93:
    return op_stack_global(m);
  case 'Q':
    return op_persistent(m);
  case 'R':
    return op_reduce(m);
  case 'b':
    return op_build(m);
  default:
    return broken(m, "operation 0x%02x, which a dictionary of tensors does not need", op);
  }
}

static bool
run(Machine *m)
{
  for (;;) {
    const uint8_t *op = take(m, 1);
    bool done;
    if (!op)
      return false;
    if (*op == '.')
      return have(m, 1);
    if (!step_value(m, *op, &done) || (!done && !step_container(m, *op)))
      return false;
  }
}

/* ---- the dictionary ----------------------------------------------------------------------- */

static bool
check_pair(const Machine *m, const Pair *pair)
{
  if (pair->key.kind != TEXT || pair->key.length == 0 ||
      memchr(pair->key.text, 0, pair->key.length))
    return broken(m, "the dictionary has a key that is no name");
  if (pair->key.length >= MODEL_MAX_NAME)
    return model_fail(m->err, MODEL_ERROR_TOO_LARGE,
                      "%s: a tensor name of %zu bytes, at most %u are read", m->mapping->path,
                      pair->key.length, MODEL_MAX_NAME - 1);
  if (pair->value.kind != TENSOR)
    return model_fail(m->err, MODEL_ERROR_UNSUPPORTED,
                      "%s: \"%.*s\" is %s, expected a dictionary from names to tensors alone",
                      m->mapping->path, (int)pair->key.length, pair->key.text,
                      kind_names[pair->value.kind]);
  return true;
}

static bool
add_tensors(Machine *m, ModelMapping *mapping, ModelTable *table)
{
  const Value top = *stack_at(m, 0);
  const Pair *pairs = m->pairs.data;
  size_t n_names = 1;
  char *names;

  if (top.kind != DICT)
    return model_fail(m->err, MODEL_ERROR_UNSUPPORTED,
                      "%s: holds %s, expected a dictionary from names to tensors", mapping->path,
                      kind_names[top.kind]);
  for (size_t i = 0; i < m->pairs.n; i++)
    if (pairs[i].dict == top.index) {
      if (!check_pair(m, &pairs[i]))
        return false;
      n_names += pairs[i].key.length + 1;
    }
  names = mapping->names = malloc(n_names);
  if (!names)
    return model_fail(m->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", mapping->path);
  for (size_t i = 0; i < m->pairs.n; i++)
    if (pairs[i].dict == top.index) {
      ModelTableEntry entry = ((ModelTableEntry *)m->tensors.data)[pairs[i].value.index];
      memcpy(names, pairs[i].key.text, pairs[i].key.length);
      names[pairs[i].key.length] = '\0';
      entry.tensor.name = names;
      names += pairs[i].key.length + 1;
      if (!model_table_add(table, &entry, m->err))
        return false;
    }
  return true;
}

/* The pickle and the folder that it lies in. */
static bool
find_pickle(Machine *m)
{
  static const char name[] = "/data.pkl", order[] = "byteorder";
  const ModelZipEntry *found = NULL, *byteorder;

  for (uint32_t i = 0; !found && i < m->zip->n; i++) {
    const ModelZipEntry *entry = &m->zip->entries[i];
    size_t n = strlen(name);
    if (entry->length > n && memcmp(entry->name + entry->length - n, name, n) == 0 &&
        !memchr(entry->name, '/', entry->length - n))
      found = entry;
  }
  if (!found)
    return model_fail(m->err, MODEL_ERROR_FORMAT,
                      "%s: a zip archive without data.pkl, so not one of torch.save()",
                      m->mapping->path);
  if (found->size > MAX_PICKLE_BYTES)
    return model_fail(m->err, MODEL_ERROR_TOO_LARGE,
                      "%s: data.pkl has %llu bytes, at most %u are read", m->mapping->path,
                      (unsigned long long)found->size, MAX_PICKLE_BYTES);
  m->folder = found->name;
  m->n_folder = found->length - strlen("data.pkl");
  m->pickle = found->data;
  m->n = found->size;
  byteorder = model_zip_find(m->zip, m->folder, m->n_folder, order, strlen(order));
  if (byteorder && (byteorder->size < 6 || memcmp(byteorder->data, "little", 6) != 0))
    return model_fail(m->err, MODEL_ERROR_UNSUPPORTED,
                      "%s: its byteorder is not little, which is the one that is read",
                      m->mapping->path);
  return true;
}

bool
model_torch_read(ModelMapping *mapping, ModelTable *table, ModelError *err)
{
  ModelZip zip;
  Machine m = {.mapping = mapping, .zip = &zip, .err = err};
  bool ok = model_zip_open(mapping, &zip, err) && find_pickle(&m) && run(&m) &&
            add_tensors(&m, mapping, table);

  free(m.stack.data);
  free(m.memo.data);
  free(m.items.data);
  free(m.storages.data);
  free(m.tensors.data);
  free(m.pairs.data);
  model_zip_clear(&zip);
  return ok;
}
