// Bad keys of [compressor]: one sentence with file, line and key each.
#include "tests/datasets/files.hpp"
#include "tests/runtime/compression/compressions.hpp"

namespace orrery {
namespace {

struct Bad {
  std::string name, text;
  int line;  // of text, from 1; 0: [compressor] itself
  std::vector<std::string> parts;
};

std::vector<Bad> bad_tables() {
  return {
      {"KindUnknown", "kind = 'top-q'\nk = 1", 1, {"compressor.kind", "did you mean \"top-k\"?"}},
      {"KindMissing", "k = 1", 0, {"kind"}},
      {"TopKMissing", "kind = 'top-k'", 0, {"k"}},
      {"TopKZero", "kind = 'top-k'\nk = 0", 2, {"compressor.k", "0"}},
      {"TopKBeyond", "kind = 'top-k'\nk = 11", 2, {"compressor.k", "keeps 11 of 10 coordinates; give at most 10"}},
      {"RandKBeyond", "kind = 'rand-k'\nk = 12", 2, {"compressor.k", "keeps 12 of 10 coordinates; give at most 10"}},
      {"Positions", "kind = 'top-k'\nk = 1\npositions = 'gaps'", 3, {"compressor.positions", "indices", "bitmap"}},
      {"BlocksBeyond",
       "kind = 'block'\nblocks = 11",
       2,
       {"compressor.blocks", "cuts 10 coordinates into 11 blocks", "at most 10"}},
      {"BlocksMissing", "kind = 'block'", 0, {"blocks"}},
      {"DwellZero", "kind = 'cyclic'\ndwell = 0", 2, {"compressor.dwell"}},
      {"BitsZero", "kind = 'quantizer'\nbits = 0", 2, {"compressor.bits", "0"}},
      {"BitsBeyond", "kind = 'dithered'\nbits = 17", 2, {"compressor.bits", "17", "16"}},
      {"BitsMissing", "kind = 'quantizer'", 0, {"bits"}},
      {"LevelsZero", "kind = 'qsgd'\nlevels = 0", 2, {"compressor.levels"}},
      {"LevelsBeyond", "kind = 'qsgd'\nlevels = 2000000", 2, {"compressor.levels", "1048576"}},
      {"Coding", "kind = 'qsgd'\nlevels = 1\ncoding = 'huffman'", 3, {"compressor.coding", "elias-gamma"}},
      {"StepZero", "kind = 'fixed-step'\nstep = 0", 2, {"compressor.step"}},
      {"DecayAboveOne", "kind = 'zoom-quantizer'\nstep = 1\ndecay = 1.1", 3, {"compressor.decay", "1.1"}},
      {"FrequencyZero", "kind = 'trigonometric'\nfrequency = 0", 2, {"compressor.frequency"}},
      {"PsiMissing", "kind = 'scalarizer'", 0, {"psi", "array of directions"}},
      {"PsiRagged",
       "kind = 'scalarizer'\npsi = [[1, 2], [1]]",
       2,
       {"compressor.psi", "direction 1 has 1 numbers, the first 2"}},
      {"PsiZero", "kind = 'scalarizer'\npsi = [[1, 2], [0, 0]]", 2, {"compressor.psi", "direction 1 is zero"}},
      {"PsiOfOtherDimension",
       "kind = 'scalarizer'\npsi = [[1, 2], [0, 1]]",
       2,
       {"compressor.psi", "directions of 2 numbers for 10 parameters"}},
      {"PsiFileMissing", "kind = 'scalarizer'\npsi = 'none.npy'", 2, {"compressor.psi", "none.npy"}},
      {"ThenNoTable", "kind = 'top-k'\nk = 1\nthen = 'sign'", 3, {"compressor.then", "not a table"}},
      {"ThenAfterQuantiser",
       "kind = 'sign'\nthen = { kind = 'natural' }",
       2,
       {"compressor.then", "\"sign\" sends no plain numbers"}},
      {"ThenKBeyond",
       "kind = 'top-k'\nk = 3\nthen = { kind = 'rand-k', k = 4 }",
       3,
       {"compressor.then.k", "keeps 4 of 3 coordinates"}},
      {"RankZero", "kind = 'power-sgd'\nrank = 0", 2, {"compressor.rank"}},
      {"RankMissing", "kind = 'power-sgd'", 0, {"compressor.rank"}},
      {"NoMatrix",
       "kind = 'power-sgd'\nrank = 1",
       2,
       {"compressor.rank", "no matrix among the parameters becomes shorter"}},
      {"RankTooHigh", "kind = 'power-sgd'\nrank = 2\nshape = [2, 5]", 2, {"compressor.rank", "at rank 2; lower it"}},
      {"ShapeOfOtherSize",
       "kind = 'power-sgd'\nrank = 1\nshape = [3, 5]",
       3,
       {"compressor.shape", "3 x 5 is not the number of parameters, 10"}},
      {"ShapeOfThree", "kind = 'power-sgd'\nrank = 1\nshape = [1, 2, 5]", 3, {"compressor.shape", "has 3 numbers"}},
      {"KeyUnknown", "kind = 'top-k'\nk = 3\nbits = 4", 3, {"bits"}},
  };
}

TEST(BadCompressors, OneSentenceEach) {
  for (const Bad& bad : bad_tables()) {
    Params p = Params::from_text("[compressor]\n" + bad.text + "\n", "exp.toml");
    const std::string message = test::complaint<ExperimentError>([&] {
      Params table = p.table("compressor");
      const auto c = make_compressor(table);
      p.require_all_read();
      const test::Rows rows(Backend::cpu, test::two_replicas(2));
      (void)c->bind(test::context(Backend::cpu), rows.view(), {.parameters = 10}, float{});
    });
    EXPECT_EQ(message.rfind("exp.toml:" + std::to_string(bad.line + 1) + ": ", 0), 0u) << bad.name << ": " << message;
    for (const std::string& part : bad.parts)
      EXPECT_NE(message.find(part), std::string::npos) << bad.name << ": " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << bad.name;
  }
}

}  // namespace
}  // namespace orrery
