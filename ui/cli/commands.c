/* The table of subcommands, in the order in which --help shows them. */
#include "commands.h"

const CliCommand cli_commands[] = {
    {"ask", "ask questions about an image", cmd_ask},
    {"describe", "describe an image", cmd_describe},
    {"image", "look into image files: info, list, render, text, deid and more", cmd_image},
    {"model", "look into models and convert them: info, convert, random, trace", cmd_model},
    {"bench", "measure how fast a model is on this machine", cmd_bench},
    {"tokenize", "turn lines of text into token ids", cmd_tokenize},
    {"log", "read the conversation log: list, show", cmd_log},
    {"cache", "see and erase what was kept to save computing: list, clear", cmd_cache},
    {"phantom", "write synthetic studies with known truth", cmd_phantom},
    {"pmc", "read articles of PubMed Central, for training sets", cmd_pmc},
    {"dataset", "make training sets of pairs of picture and caption", cmd_dataset},
    {"train", "train a model on images with conversations", cmd_train},
    {"eval", "score a model on questions with known answers: vqa, judge and more", cmd_eval},
    {NULL, NULL, NULL},
};
