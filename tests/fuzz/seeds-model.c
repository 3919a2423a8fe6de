/* seeds-model.c - seeds of what the model room reads: tiny checkpoints of every layout. */
#include "seeds.h"

#include "../model/checkpoint-fixture.h"
#include "../model/clip-fixture.h"
#include "../model/tokenizer-fixture.h"
#include "../model/torch-fixture.h"

static void
add_text(Seeds *seeds, const char *text)
{
  seeds_add(seeds, text, strlen(text));
}

static void
add_found(Seeds *seeds, const guint8 *data, gsize n)
{
  seeds_add(seeds, data, n);
}

/* Every layout that the readers know. */
static const TinyOptions tiny_models[] = {
    {.layout = LAYOUT_ORIGINAL},
    {.layout = LAYOUT_ORIGINAL, .tied = TRUE, .linear = TRUE},
    {.layout = LAYOUT_ORIGINAL, .v10 = TRUE, .linear = TRUE},
    {.layout = LAYOUT_CONVERTED, .extra_rows = 2},
    {.layout = LAYOUT_NEWEST},
    {.layout = LAYOUT_ORIGINAL, .text_only = TRUE},
};

void
seeds_json(Seeds *seeds)
{
  add_text(seeds,
           "{\"a\":[1,-2.5e-3,true,false,null,\"t\\u00e9\\n\\ud83d\\ude00\"],\"b\":{\"c\":{}}}");
  add_text(seeds, "[[[[[[[[]]]]]]]]");
  add_text(seeds, "{\"n\":18446744073709551615,\"m\":-2147483648,\"f\":1e400,\"g\":0.1}");
  add_text(seeds, " \t\r\n\"text\" ");
  add_text(seeds,
           "{\"id\":\"q1\",\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nq\"}]}");
  for (guint i = 0; i < G_N_ELEMENTS(tiny_models); i++) {
    g_autofree char *folder = tiny_folder(&tiny_models[i]);
    g_autofree char *path = g_build_filename(folder, "config.json", NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    add_text(seeds, text);
    remove_tree(folder);
  }
}

void
seeds_training_data(Seeds *seeds)
{
  static const char record[] =
      "{\"id\":\"1\",\"image\":\"a.png\",\"conversations\":[{\"from\":\"human\",\"value\":"
      "\"<image>\\nWhat?\"},{\"from\":\"gpt\",\"value\":\"A lung.\"}]}";
  g_autofree char *lines = g_strdup_printf("%s\n%s\n", record, record);
  g_autofree char *array = g_strdup_printf("[ %s , %s ]\n", record, record);

  add_text(seeds, record);
  add_text(seeds, lines);
  add_text(seeds, array);
  add_text(seeds, "[]");
  add_text(seeds, "{\"id\":1,\"conversations\":[]}");
}

/* Of each list that people have. */
void
seeds_lists(Seeds *seeds)
{
  static const char *const texts[] = {
      "{\"pair_id\":\"1_F1\",\"fig_caption\":\"CT (a) "
      "of\",\"domain\":{\"mri\":true},\"image\":\"a\"}\n",
      "{\"pmid\":\"1\",\"pmc\":\"2\",\"figures\":[{\"pair_id\":\"1_F1\",\"fig_caption\":\"c\","
      "\"graphic_ref\":\"a/b.jpg\",\"inline_references\":[{\"text\":\"t\"}]}]}\n",
      "{\"pair_id\":\"1\",\"pmc_tar_url\":\"u\",\"image_file_path\":\"p\"}\n",
      "{\"ct_scan\":[{\"pair_id\":\"1\",\"fig_caption\":\"c\\n\",\"in_text_mention\":[{\"tokens\":["
      "\"a\","
      "\"b\"]},\"c\",null]}],\n\"mri\":[]}",
      "{\"pdf_hash\":\"h\",\"fig_uri\":\"1-F.png\",\"s2_caption\":\"Figure 1A. "
      "MRI\",\"oa_info\":{\"oa\":"
      "{\"license\":\"cc\"}}}\n",
      "ROCO_1\tMRI\nROCO_2\tX-ray of the chest\n",
      "id,name,caption\n1,PMC2_a.jpg,\"a \"\"b\"\", c\"\n",
      "a dog\thttp://x/1\n",
      "{\"file_name\":\"a.jpg\",\"text\":\"c\"}\n",
      "[{\"id\":\"1\",\"image\":\"a\",\"conversatons\":[{\"from\":\"human\",\"value\":\"<image>"
      "\\nDescribe "
      "the image\"},{\"from\":\"gpt\",\"value\":\"x\"}]}]",
      "{\"1\":{\"question\":\"q\",\"choices\":[\"a\",\"b\"],\"answer\":1,\"hint\":\"\",\"image\":"
      "null,"
      "\"split\":\"train\",\"lecture\":\"l\",\"solution\":\"s\"}}"};

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    add_text(seeds, texts[i]);
  }
}

void
seeds_remote(Seeds *seeds)
{
  static const char event[] =
      "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"caf\\u00e9\"},"
      "\"finish_reason\":null}]}";
  g_autofree char *lf = g_strdup_printf(": hi\n\n%s\n\n%s\n\ndata: [DONE]\n\n", event, event);
  g_autofree char *crlf = g_strdup_printf("event: x\r\n%s\r\n\r\n", event);
  g_autofree char *cr = g_strdup_printf("\xef\xbb\xbf%s\r\r%s", event, event);

  add_text(seeds, lf);
  add_text(seeds, crlf);
  add_text(seeds, cr);
  add_text(seeds,
           "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n");
  add_text(seeds, "error: {\"code\":500,\"message\":\"lost\"}\n\n");
  add_text(seeds, "{\"error\":{\"message\":\"What was asked? sk-key \\u001b[31m\"}}");
  add_text(seeds, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"bad\",\"input\":1}]}");
}

void
seeds_instruct(Seeds *seeds)
{
  add_text(seeds,
           "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"User: a\\n\\nAssistant: "
           "b\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,"
           "\"completion_tokens\":3}}");
  add_text(seeds,
           "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}}]}");
  add_text(
      seeds,
      "{\"pair_id\":\"1\",\"fig_caption\":\"x\",\"in_text_mention\":[\"a\",{\"tokens\":[\"b\"]}"
      "],\"domain\":{\"mri\":true},\"boxes\":[{\"category\":\"a\",\"bbox\":[0,0.5,1,1]}]}");
  add_text(seeds,
           "User: Was?\n\nAssistant: Based on the caption, a <image>.\n\n**Question:** b\n===\n"
           "Answer: Yes, as mentioned in the provided context, c.\n");
  add_text(seeds,
           "User:a Assistant: according to the figure caption, \xc3\x9f User: b Assistant: c");
  add_text(seeds, "# x\n== photo\ncaption: a\nbox: dog 0 0 1 1\n-- detail\nb\n== mri\ncaption: c\n"
                  "mention: d\n-- conversation\nUser: e\nAssistant: f\n");
}

/* ---- vocabularies ---------------------------------------------------------------------------- */

void
seeds_vocabulary(Seeds *seeds)
{
  static const HandPiece pieces[] = {
      {"<unk>", 0, MODEL_PIECE_UNKNOWN}, {"<s>", 0, MODEL_PIECE_CONTROL},
      {"</s>", 0, MODEL_PIECE_CONTROL},  {"\u2581a", -1, MODEL_PIECE_NORMAL},
      {"ab", -2, MODEL_PIECE_NORMAL},    {"a", -3, MODEL_PIECE_NORMAL},
      {"b", -4, MODEL_PIECE_USER},       {"\u00e9", -5, MODEL_PIECE_UNUSED},
  };
  static const HandOptions options[] = {{2, 1, 0, TRUE}, {2, -1, -1, FALSE}, {2, 0, 1, FALSE}};
  g_autoptr(GByteArray) tiny = tiny_tokenizer();

  seeds_add(seeds, tiny->data, tiny->len);
  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    g_autoptr(GByteArray) model = hand_model(pieces, G_N_ELEMENTS(pieces), &options[i]);
    seeds_add(seeds, model->data, model->len);
  }
}

void
seeds_text(Seeds *seeds)
{
  add_text(seeds, "the hat in a hat on the tin");
  add_text(seeds, "<s>the</s> <image>\n### a  b\t\u2581 c\u00e9 \U0001F600");
  add_text(seeds, "<0x0A><unk>\xff\xc3(");
  add_text(seeds, "<image><image>");
}

/* ---- weights --------------------------------------------------------------------------------- */

void
seeds_safetensors(Seeds *seeds)
{
  static const char *const headers[] = {
      "{}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
      "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"BF16\",\"shape\":[2,2],"
      "\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[8,10]},"
      "\"c\":{\"dtype\":\"I64\",\"shape\":[1,0],\"data_offsets\":[10,10]}}",
  };
  static const gsize data_bytes[] = {0, 8, 10};

  for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const guint64 length = strlen(headers[i]);

    g_byte_array_append(bytes, (const guint8 *)&length, 8);
    g_byte_array_append(bytes, (const guint8 *)headers[i], (guint)length);
    g_byte_array_set_size(bytes, bytes->len + data_bytes[i]);
    memset(bytes->data + 8 + length, 1, data_bytes[i]);
    seeds_add(seeds, bytes->data, bytes->len);
  }
  for (guint i = 0; i < G_N_ELEMENTS(tiny_models); i++) {
    g_autofree char *folder = tiny_folder(&tiny_models[i]);
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    g_autofree char *bytes = NULL;
    gsize n;

    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    seeds_add(seeds, bytes, n);
    remove_tree(folder);
  }
}

void
seeds_torch(Seeds *seeds)
{
  for (guint i = 0; i < G_N_ELEMENTS(tiny_models); i++) {
    g_autofree char *folder = tiny_folder(&tiny_models[i]);
    g_autofree char *path = g_build_filename(folder, "x.bin", NULL), *bytes = NULL;
    gsize n;

    torch_from_safetensors(folder, "model.safetensors", "x.bin", i % 2);
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    seeds_add(seeds, bytes, n);
    remove_tree(folder);
  }
  for (guint i = 0; i < 2; i++) {
    const guint dims[] = {2, 3, 0};
    const float values[6] = {1, 2, 3};
    g_autoptr(GByteArray) small = NULL;
    TorchFile file;

    torch_file_init(&file, i);
    torch_file_add(&file, "a", dims, values);
    torch_file_add(&file, "b", dims + 1, values);
    small = torch_file_end(&file);
    seeds_add(seeds, small->data, small->len);
  }
}

/* FOLDER as the one input that fuzz-huggingface.c takes apart: the order of its table. */
static GByteArray *
pack_folder(const char *folder)
{
  static const char *const names[] = {"config.json",
                                      "model.safetensors",
                                      "tokenizer.model",
                                      "added_tokens.json",
                                      "special_tokens_map.json",
                                      "tokenizer_config.json",
                                      "generation_config.json",
                                      "preprocessor_config.json",
                                      "model.safetensors.index.json",
                                      "chat_template.json",
                                      "clip/config.json",
                                      "clip/model.safetensors"};
  GByteArray *packed = g_byte_array_new();

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    g_autofree char *bytes = NULL;
    gsize n;

    if (g_file_get_contents(path, &bytes, &n, NULL)) {
      const guint8 head[] = {(guint8)i, (guint8)n, (guint8)(n >> 8)};

      g_assert_cmpuint(n, <, 65536);
      g_byte_array_append(packed, head, sizeof head);
      g_byte_array_append(packed, (const guint8 *)bytes, (guint)n);
    }
  }
  return packed;
}

void
seeds_huggingface(Seeds *seeds)
{
  static const char preprocessor[] =
      "{\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.5],\"crop_size\":{\"height\":4}}";
  static const char decoder[] = "{\"added_tokens_decoder\":{\"16\":{\"content\":\"<im_patch>\"}},"
                                "\"chat_template\":\"[INST]\","
                                "\"bos_token\":\"<s>\"}";

  for (guint i = 0; i < G_N_ELEMENTS(tiny_models); i++) {
    g_autofree char *folder = tiny_folder(&tiny_models[i]);
    g_autoptr(GByteArray) plain = pack_folder(folder), full = NULL;

    seeds_add(seeds, plain->data, plain->len);
    write_file(folder, "preprocessor_config.json", preprocessor, strlen(preprocessor));
    write_file(folder, "tokenizer_config.json", decoder, strlen(decoder));
    full = pack_folder(folder);
    seeds_add(seeds, full->data, full->len);
    remove_tree(folder);
  }
}

void
seeds_gguf(Seeds *seeds)
{
  static const char *const types[] = {"f32", "f16", "q8_0"};

  for (guint i = 0; i < G_N_ELEMENTS(tiny_models); i++) {
    g_autofree char *folder = tiny_folder(&tiny_models[i]);
    g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
    g_autofree char *clip = g_build_filename(folder, "clip", NULL);
    g_autofree char *bytes = NULL;
    const ModelEngineOptions options = {.vision_tower = tiny_models[i].v10 ? clip : NULL};
    ModelCheckpoint checkpoint;
    ModelError err = {0};
    gsize n;

    open_checkpoint(folder, &options, &checkpoint);
    if (!model_gguf_write(&checkpoint, types[i % 3], "A card.", out, NULL, NULL, &err)) {
      g_error("%s", err.message);
    }
    model_checkpoint_close(&checkpoint);
    g_assert_true(g_file_get_contents(out, &bytes, &n, NULL));
    seeds_add(seeds, bytes, n);
    remove_tree(folder);
  }
  for (char **more = seeds->more; more && *more; more++) {
    seeds_find(seeds, *more, add_found);
  }
}

/* The files of a pair as the one input that fuzz-clip.c takes apart: the order of its table, of
 * weights the header alone. */
static void
add_pair(Seeds *seeds, const char *folder)
{
  static const char *const names[] = {"config.json",       "open_clip_config.json",
                                      "model.safetensors", "open_clip_model.safetensors",
                                      "vocab.json",        "merges.txt",
                                      "vocab.txt"};
  g_autoptr(GByteArray) packed = g_byte_array_new();

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL), *bytes = NULL;
    const char *from;
    gsize n;

    if (!g_file_get_contents(path, &bytes, &n, NULL)) {
      continue;
    }
    from = bytes;
    if (g_str_has_suffix(names[i], ".safetensors")) {
      guint64 length;
      memcpy(&length, bytes, 8);
      from += 8;
      n = (gsize)GUINT64_FROM_LE(length);
    }
    g_assert_cmpuint(n, <, 65536);
    g_byte_array_append(packed, (const guint8[]){(guint8)i, (guint8)n, (guint8)(n >> 8)}, 3);
    g_byte_array_append(packed, (const guint8 *)from, (guint)n);
  }
  seeds_add(seeds, packed->data, packed->len);
}

void
seeds_clip(Seeds *seeds)
{
  for (guint i = 0; i < 4; i++) {
    g_autofree char *folder = new_folder();

    clip_make(folder, (ClipKind)i, TRUE, NULL);
    add_pair(seeds, folder);
    remove_tree(folder);
  }
}
