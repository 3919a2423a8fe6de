/* seeds-evaluation.c - seeds for fuzz-evaluation.c: one of each form. The first byte says which. */
#include <string.h>

#include "seeds.h"

void
seeds_evaluation(Seeds *seeds)
{
  static const char *const texts[] = {
      "0[{\"qid\":1,\"image_name\":\"a.jpg\",\"image_organ\":\"HEAD\",\"answer\":2,\"answer_type\":"
      "\"CLOSED \",\"question_type\":\"PRES, POS\",\"question\":\"Is it?\"}]",
      "0[{\"img_name\":\"x/s.jpg\",\"question\":\"Q?\",\"answer\":\"Liver\",\"q_lang\":\"en\","
      "\"location\":\"Abdomen\",\"modality\":\"CT\",\"answer_type\":\"OPEN\",\"qid\":7}]",
      "0[{\"img_id\":\"t_1\",\"labelf\":{\"pvqa\":[{\"a\":1,\"b\":1},{\"yes\":1}]},\"sentf\":"
      "{\"pvqa\":[\"what is?\",\"is it?\"]}}]",
      "0pic|organ|what organ is it?|(left) lung#breast\npic|is it?|yes\n",
      "0[{\"id\":1,\"image\":\"a\",\"answer_type\":\"OPEN\",\"conversatons\":[{\"from\":\"human\","
      "\"value\":\"Q?\\n<image>\"},{\"from\":\"gpt\",\"value\":\"yes\"}]}]",
      "0{\"question_id\":1,\"image\":\"a\",\"text\":\"Q?\",\"answer\":\"yes\",\"answer_type\":"
      "\"CLOSED\",\"kind\":\"k\",\"reference\":\"yes\"}\n{\"question_id\":2,\"prompt\":\"Q?\","
      "\"text\":\"no\",\"model_id\":\"m\",\"metadata\":{\"blank\":true}}\n",
      "1{\"4\":{\"choices\":[\"a\",\"b\"],\"answer\":1,\"image\":\"i.png\"},\"5\":{\"choices\":"
      "[\"a\"],\"answer\":0,\"image\":null}}",
      "1[{\"id\":\"4\",\"conversations\":[{\"value\":\"Options: (A) a (B) b\"},{\"value\":\"The "
      "answer is B.\"}]}]",
      "1{\"outputs\":{\"4\":\"B\"}}",
      "2{\"question_id\":0,\"image\":\"a.jpg\",\"text\":\"What?\\n<image>\",\"gpt4_answer\":\"r\","
      "\"fig_label\":\"Fig. 3\",\"fig_caption\":\"c\",\"in_text_mention\":[{\"tokens\":\"m\"},"
      "\"n\"],\"domain\":{\"mri\":true},\"type\":\"conversation\",\"captions\":[\"c\"],"
      "\"instances\":[{\"category\":\"dog\",\"bbox\":[0.1,1]}],\"tuple\":[8,7.5]}\n",
      "2{\"question_id\":1,\"category\":\"llava_bench_conv\",\"content\":\"8 7\\nx\",\"order\":"
      "\"model_first\"}\n{\"question_id\":1,\"result\":\"8, 7\"}\n{\"score\":[8,7],"
      "\"question_id\":2}\n",
      "2{\"conv\":{\"role\":\"A\",\"prompt\":\"p\"}}",
      "3{\"type\":\"vqa\",\"groups\":[{\"kind\":\"all\",\"answer_type\":\"OPEN\",\"n\":1,"
      "\"recall\":"
      "0.5,\"recall_low\":0,\"recall_high\":1,\"majority\":0.5,\"published\":{\"recall\":0.5},"
      "\"blank\":{\"recall\":0.5,\"published\":{}},\"train_majority\":{\"recall\":0}}],"
      "\"by_organ\":[],\"leak\":{\"share\":0.5},\"published_table\":{\"rows\":[{\"model\":\"m\","
      "\"open_percent\":1}]},\"files\":{\"questions\":{\"path\":\"p\",\"sha256\":\"s\"}}}",
      "3{\"type\":\"judge\",\"groups\":[{\"kind\":\"all\",\"n\":1,\"mean_of_ratios\":50.0}],"
      "\"orders\":{\"model_first\":{\"n\":1}},\"position\":{\"bias\":1.0},\"published_table\":"
      "{\"rows\":[{\"model\":\"m\",\"scores\":{\"all\":50.2}}]}}",
      "3{\"type\":\"scienceqa\",\"accuracy\":0.5,\"with_image\":{\"n\":1}}",
  };

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    seeds_add(seeds, texts[i], strlen(texts[i]));
  }
}
