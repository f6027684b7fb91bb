// Downloads the files of a published set over HTTP(S), with libcurl.
//
// A file grows as NAME.part and gets its name by one rename, once its SHA-256 is the published one. NAME.part of an earlier attempt is
// taken up where it ended (Range); a server that ignores the range starts it again. A file that is there and right is kept; one that is
// there and wrong is an error. Of plain text (LIBSVM) a server may hold NAME or NAME.gz; the content decides.
//
// Errors   DataError "URL or FILE: what is wrong; what to do": no network, HTTP errors, wrong checksum (NAME.part is then removed), more
//          bytes than published, a disk that is full, another process that fetches the same file.
#pragma once

#include <functional>
#include <stdexcept>

#include "datasets/catalogue.hpp"

namespace orrery {

struct FetchProgress {
  std::string name;
  int64_t done = 0, total = 0;  // bytes; total 0: not known
  double bytes_per_second = 0;
};

enum class Fetched { kept, whole, resumed };
struct FetchedFile {
  std::string path;
  int64_t bytes = 0;
  Fetched how = Fetched::whole;
};

struct FetchOptions {
  std::string url;                                     // base, in place of the publisher's
  std::string to;                                      // folder; made where it is missing
  std::function<bool(const FetchProgress&)> progress;  // several times a second; false stops
  std::function<void(const FetchedFile&)> finished;    // after each file
};

struct FetchStopped : std::runtime_error {  // progress said so; NAME.part stays
  using std::runtime_error::runtime_error;
};

std::vector<FetchedFile> fetch(const PublishedSet&, const FetchOptions&);

}  // namespace orrery
