// The data sets that a user can name: which files they consist of, where those are published, and what is in [data].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orrery {

struct PublishedFile {
  std::string name;    // as published
  int64_t bytes = 0;   // as published
  std::string sha256;  // as published
  std::string
      unpacked;  // where the published file is plain text: copies may be gzip-compressed, NAME.gz, of this content
};

struct PublishedSet {
  std::string name;                  // for `orrery data`: mnist, a9a, ...
  std::string entry;                 // data.name
  std::string toml;                  // what else [data] needs
  std::vector<std::string> folders;  // names under $ORRERY_DATA and the cache
  std::vector<PublishedFile> files;
  std::string url;   // the files' names are appended; "": cannot be fetched, or needs no files
  std::string note;  // why it cannot be fetched, and what to do
};

const std::vector<PublishedSet>& published_sets();

}  // namespace orrery
