# Makefile - all of evdb's build. `make help` lists targets; tests/README.md tells more.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
VERSION   := $(shell sed -n 's/^.define EVDB_VERSION "\(.*\)"/\1/p' include/evdb/version.h)
SOVERSION := 0
PREFIX    ?= /usr/local
DESTDIR   ?=
B         ?= build
OBJCOPY   ?= objcopy
CFLAGS    ?= -O3 -g
SAN       ?=
HARDEN    ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
LDHARDEN  ?= -Wl,-z,relro,-z,now -Wl,-z,noexecstack
WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
             -Wwrite-strings -Wformat=2 -Wundef -Werror=implicit -Werror=switch
PKGS      := sqlite3 jansson libsodium libzstd zlib
LIBS       = $(shell pkg-config --libs $(PKGS) 2>/dev/null || echo -lsqlite3 -ljansson -lsodium -lzstd -lz) -lpthread -lm
override CPPFLAGS += -Iinclude -D_GNU_SOURCE -MMD -MP
ALL_C      = $(CPPFLAGS) $(INC) -std=c11 $(WARN) $(HARDEN) -fvisibility=hidden -fno-math-errno -fPIC $(CFLAGS) $(SAN)
ALL_LD     = $(CFLAGS) $(SAN) $(LDHARDEN)
# One short line a file; V=1 shows the commands, -s nothing.
say        = $(if $(V),,@$(if $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS)))),,echo '  $(1) $@' &&))
# All cores, unless -j was given.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

LIB_C     := $(wildcard lib/*.c lib/*/*.c)
OP_C      := $(wildcard server/op/*.c server/limit/*.c)
MCP_C     := $(wildcard server/mcp/*.c)
DAEMON_C  := $(wildcard server/*.c server/*/*.c)
# The server without its processes and its event loops, whose place fuzz targets take.
# What reads and checks tokens of others, which stands on nothing but operations' errors.
JOSE_C    := $(addprefix server/token/,assertion.c claims.c discovery.c issuer.c jose.c jose_keys.c jose_signature.c keyring.c replay.c)
SERVED_C  := $(filter-out $(wildcard server/*.c server/remote/*.c) $(addprefix server/http/,http.c exchange.c),$(DAEMON_C))
CLI_C     := $(wildcard bindings/cli/*.c)
BENCH_C   := $(wildcard tests/bench/bench_*.c)
EXAMPLE_C := $(wildcard examples/*.c)
FUZZ_C    := $(wildcard tests/fuzz/fuzz_*.c)
ifeq ($(findstring x86,$(shell $(CC) -dumpmachine)),)
LIB_C     := $(filter-out lib/kernel/avx%.c,$(LIB_C))
endif
ifeq ($(findstring aarch64,$(shell $(CC) -dumpmachine)),)
LIB_C     := $(filter-out lib/kernel/neon%.c,$(LIB_C))
endif
obj        = $(patsubst %.c,$(B)/%.o,$(1))
bin        = $(patsubst %.c,$(B)/%,$(1))

.PHONY: all library evdbd programs
all: library evdbd $(B)/evdb ## build everything into build/
library: $(B)/libevdb.a $(B)/libevdb.so $(B)/evdb.pc ## the library alone, which needs no libmicrohttpd, no GnuTLS and no libcurl
evdbd: $(B)/evdbd ## the server alone

# What each room may include: the library its own rooms, programs only <evdb.h> and their own.
$(B)/lib/%.o: INC = -Ilib
$(B)/server/%.o: INC = -Iserver
$(B)/bindings/cli/%.o: INC = -Iserver -Ibindings/cli
$(B)/tests/%.o: INC = -Itests
$(B)/tests/unit/%.o $(B)/tests/fault/%.o: INC = -Ilib -Itests
$(B)/tests/op/%.o $(B)/tests/limit/%.o $(B)/tests/http/%.o $(B)/tests/remote/%.o $(B)/tests/token/%.o $(B)/tests/config/%.o $(B)/tests/daemon/%.o $(B)/tests/conformance/%.o: INC = -Iserver -Itests
$(B)/tests/bench/bench_limit.o: INC = -Iserver -Itests
$(B)/tests/fuzz/%.o: INC = -Ilib -Iserver -Itests

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(ALL_C) -c $< -o $@

# What a build was made with: objects depend on the compiler and its flags, libraries on the list of sources. Before the first
# compilation somebody looks for what evdb needs; the goals that may install do so here.
INSTALL   := $(sort $(if $(filter quickstart bench peers codecs storage replay,$(MAKECMDGOALS)),run) $(if $(filter bench,$(MAKECMDGOALS)),bench) \
             $(if $(filter test threaded memcheck judges conformance storage s3,$(MAKECMDGOALS)),run test))
NEEDED    := $(if $(filter-out library emulated,$(or $(MAKECMDGOALS),all)),build,library)
record     = echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@
.PHONY: always
$(B)/flags: INC = # whichever object asked for it first
$(B)/flags: always
	@$(if $(INSTALL),CC='$(CC)' tests/install-deps $(INSTALL))
	@$(if $(INSTALL)$(wildcard $@),,CC='$(CC)' tests/install-deps --check $(NEEDED))
	@mkdir -p $(@D)
	@$(call record,$(CC) $(ALL_C) $(ALL_LD))
$(B)/sources: always
	@mkdir -p $(@D)
	@$(call record,$(LIB_C) $(DAEMON_C) $(CLI_C))

# One relocatable object with every non-public symbol made local: linking libevdb.a cannot see
# internals, so "programs use only the public API" is a link-time fact.
$(B)/libevdb.a: $(call obj,$(LIB_C)) $(B)/sources
	$(call say,AR) $(LD) -r $(filter %.o,$^) -o $(B)/evdb.o && $(OBJCOPY) --localize-hidden $(B)/evdb.o && \
	  rm -f $@ && $(AR) rcs $@ $(B)/evdb.o
$(B)/libevdb.so.$(SOVERSION): $(call obj,$(LIB_C)) lib/libevdb.map $(B)/sources
	$(call say,LD) $(CC) -shared -Wl,-soname,libevdb.so.$(SOVERSION) -Wl,--version-script=lib/libevdb.map $(ALL_LD) \
	  $(filter %.o,$^) -o $@ $(LIBS)
$(B)/libevdb.so: $(B)/libevdb.so.$(SOVERSION)
	@ln -sf $(<F) $@
$(B)/evdb: $(call obj,$(CLI_C) $(OP_C) $(MCP_C)) $(B)/libevdb.a $(B)/sources
	$(LINK)
$(B)/evdbd: $(call obj,$(DAEMON_C)) $(B)/libevdb.a $(B)/sources
	$(LINK) -lmicrohttpd -lgnutls -lcurl
$(B)/evdb.pc: always
	@mkdir -p $(@D)
	@sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' pkgconfig/evdb.pc.in > $@

# Programs: one a file named test_*.c (bench_*.c, fuzz_*.c, any example); the other files of its folder and of tests/ are
# linked to each. Unit and fault tests see internals, op tests the operation table, config and daemon tests parts of
# evdbd, the rest what users link.
tests      = $(wildcard tests/$(1)/test_*.c)
support    = $(call obj,$(filter-out $(wildcard tests/$(1)/test_* tests/$(1)/bench_* tests/$(1)/fuzz_*),\
             $(wildcard tests/$(1)/*.c)) $(if $(filter bench fuzz,$(1)),,$(wildcard tests/*.c)))
LINK       = $(call say,LD) $(CC) $(ALL_LD) $(filter %.o %.a,$^) -o $@ $(LIBS)
UNIT      := $(call bin,$(call tests,unit))
FAULT     := $(call bin,$(call tests,fault))
API       := $(call bin,$(call tests,api))
OP        := $(call bin,$(call tests,op))
LIMIT     := $(call bin,$(call tests,limit))
REMOTE    := $(call bin,$(call tests,remote))
TOKEN     := $(call bin,$(call tests,token))
CONFIG    := $(call bin,$(call tests,config))
DAEMON    := $(call bin,$(call tests,daemon))
ECHO      := $(B)/tests/http/echo_server
SEALED    := $(call bin,$(call tests,conformance))
MODEL     := $(B)/tests/conformance/evdbd-conformance
MODEL_C   := $(filter-out $(call tests,conformance),$(wildcard tests/conformance/*.c)) $(SERVED_C) $(addprefix server/http/,http.c exchange.c)
FUZZ      := $(call bin,$(FUZZ_C))
BENCH     := $(call bin,$(BENCH_C))
EXAMPLE   := $(call bin,$(EXAMPLE_C))
C_TESTS   := $(UNIT) $(API) $(OP) $(LIMIT) $(REMOTE) $(TOKEN) $(CONFIG) $(DAEMON) $(SEALED) $(FAULT)
$(UNIT): $(B)/%: $(B)/%.o $(call obj,$(LIB_C)) $(call support,unit)
	$(LINK) -lcmocka
$(FAULT): $(B)/%: $(B)/%.o $(call obj,$(LIB_C)) $(call support,fault)
	$(LINK) -lcmocka
$(API): $(B)/%: $(B)/%.o $(B)/libevdb.a $(call support,api)
	$(LINK) -lcmocka
$(B)/tests/op/test_mcp_hub: $(call obj,$(MCP_C))
$(OP): $(B)/%: $(B)/%.o $(call obj,$(OP_C)) $(B)/libevdb.a $(call support,op)
	$(LINK) -lcmocka
$(LIMIT): $(B)/%: $(B)/%.o $(call obj,$(filter server/limit/%,$(OP_C))) $(call support,limit) $(B)/libevdb.a
	$(LINK) -lcmocka
$(REMOTE): $(B)/%: $(B)/%.o $(call obj,$(filter server/remote/%,$(DAEMON_C)) $(OP_C)) $(B)/libevdb.a $(call support,remote)
	$(LINK) -lcmocka -lcurl
$(TOKEN): $(B)/%: $(B)/%.o $(call obj,$(JOSE_C) $(OP_C)) $(B)/libevdb.a $(call support,token)
	$(LINK) -lcmocka -lgnutls
$(CONFIG): $(B)/%: $(B)/%.o $(call obj,$(filter server/config/%,$(DAEMON_C))) $(B)/libevdb.a $(call support,config)
	$(LINK) -lcmocka
$(DAEMON): $(B)/%: $(B)/%.o $(call obj,server/backup_run.c server/log.c $(filter server/config/%,$(DAEMON_C)) $(OP_C)) $(B)/libevdb.a $(call support,daemon) $(B)/tests/op/memory_bucket.o
	$(LINK) -lcmocka
$(ECHO): $(B)/%: $(B)/%.o $(B)/tests/http/echo_streams.o $(call obj,$(filter server/http/%,$(DAEMON_C)))
	$(LINK) -lmicrohttpd -lgnutls
$(SEALED): $(B)/%: $(B)/%.o $(B)/tests/conformance/sealed.o $(call obj,$(wildcard tests/*.c)) $(B)/libevdb.a
	$(LINK) -lcmocka
$(MODEL): $(call obj,$(MODEL_C)) $(B)/libevdb.a
	$(LINK) -lmicrohttpd -lgnutls
$(B)/tests/fuzz/fuzz_config: $(call obj,$(filter server/config/%,$(DAEMON_C)))
$(B)/tests/fuzz/fuzz_jose: $(call obj,$(JOSE_C))
$(B)/tests/fuzz/fuzz_s3: $(call obj,$(addprefix server/remote/,s3_list.c xml.c))
$(addprefix $(B)/tests/fuzz/fuzz_,http query): $(call obj,$(SERVED_C)) $(B)/tests/fuzz/served.o
$(addprefix $(B)/tests/fuzz/fuzz_,json query mcp): $(B)/tests/fuzz/choose.o
$(B)/tests/fuzz/fuzz_mcp: $(B)/tests/fuzz/mcp_script.o
$(FUZZ): $(B)/%: $(B)/%.o $(call obj,$(LIB_C) $(OP_C) $(MCP_C)) $(if $(FUZZER),,$(B)/tests/fuzz/replay.o)
	$(LINK) -lmicrohttpd -lgnutls $(FUZZER)
$(B)/tests/bench/bench_limit: $(call obj,$(filter server/limit/%,$(OP_C)))
$(BENCH): $(B)/%: $(B)/%.o $(B)/libevdb.a $(call support,bench)
	$(LINK) -lmicrohttpd
$(EXAMPLE): $(B)/%: $(B)/%.o $(B)/libevdb.a
	$(LINK)
programs: all $(C_TESTS) $(ECHO) $(MODEL) $(EXAMPLE)

.PHONY: quickstart test lint asan tsan valgrind power-loss power-loss-long kill-long fuzz mutate neon noavx slowhttp judges conformance tls-judges foreign s3 format tidy cover cover-parsers bench peers codecs storage install uninstall clean help
quickstart: $(B)/examples/quickstart $(B)/evdbd ## install what is missing, build, search 60,000 images, serve them
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT INT TERM && $< "$$dir/evdb" && examples/serve.sh $(B)/evdbd "$$dir/evdb"
test: programs ## install what is missing, build, run the tests; T=name runs those it matches
	@tests/run $(B) '$(T)'
lint: all ## layers, banned functions, exports, headers, sizes, names
	@CC='$(CC)' tests/lint/run $(B)

# Builds of their own, each in a folder below build/.
AGAIN      = $(MAKE) --no-print-directory HARDEN= LDHARDEN= T='$(T)'
ASAN      := CFLAGS='-O1 -g' SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
CLANG     ?= clang-14
RUNS      ?= 20000
SECONDS   ?= 60
asan: ## all tests under the address and undefined-behaviour sanitizers
	+@$(AGAIN) test B=build/asan $(ASAN)
tsan: ## tests that start threads, under the thread sanitizer
	+@$(AGAIN) threaded B=build/tsan CFLAGS='-O1 -g' SAN='-fsanitize=thread -fno-omit-frame-pointer'
valgrind: ## C tests under valgrind
	@tests/install-deps run test valgrind
	+@$(AGAIN) memcheck B=build/valgrind CFLAGS='-O1 -g'
POWER     := $(filter %_power,$(FAULT)) $(B)/tests/fault/test_unsynced
power-loss: $(POWER) ## what 5,000 power failures leave on a disk is opened and looked at, or IMAGES=n
	@tests/power-loss $(or $(IMAGES),5000) $^
power-loss-long: $(POWER) ## the same of 100,000
	@tests/power-loss $(or $(IMAGES),100000) $^
kill-long: $(B)/tests/fault/test_kill ## 1,000 rounds of kill -9, or KILLS=n
	@EVDB_KILLS=$(or $(KILLS),1000) $<
fuzz: ## fuzz targets under clang's libFuzzer and sanitizers, SECONDS=60 each; T=name picks; without clang it is make mutate
	+@if CLANG='$(CLANG)' tests/install-deps run fuzz; then \
	  $(AGAIN) guided B=build/fuzz CC='$(CLANG)' CFLAGS='-O1 -g' FUZZER=-fsanitize=fuzzer SECONDS='$(SECONDS)' \
	  SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'; \
	else $(MAKE) --no-print-directory mutate RUNS=2000; fi
mutate: ## fuzz targets over their corpora and RUNS=n seeded mutations of them, under gcc's sanitizers
	+@$(AGAIN) replay B=build/asan $(ASAN)
slowhttp: evdbd ## slowhttptest's attacks, while healthy clients must be served
	@tests/install-deps run test slowhttp
	@PYTHONDONTWRITEBYTECODE=1 EVDB_BUILD=$(B) $$(tests/which-python) tests/daemon/slowhttp.py
judges: all $(MODEL) ## other people's clients of MCP and OAuth, installed below build/, talk to evdb mcp and to evdbd; T=name picks
	@PYTHONDONTWRITEBYTECODE=1 $$(tests/which-python) tests/judges/judges.py $(B) '$(T)'
conformance: all $(MODEL) ## of the judges the MCP conformance suite alone, on a server with the fixtures that it asks for
	@PYTHONDONTWRITEBYTECODE=1 $$(tests/which-python) tests/judges/judges.py $(B) 'MCP conformance, fixtures'
tls-judges: evdbd ## testssl.sh and sslyze, installed by apt and pip, look at a TLS port of evdbd
	@tests/install-deps run test && { tests/install-deps tls || echo 'tls-judges: goes on without testssl.sh'; }
	@PYTHONDONTWRITEBYTECODE=1 $$(tests/which-python) tests/judges/tls.py $(B)
foreign: all ## the programs whose files are imported, installed below build/, make some, and evdb imports them
	@if ! { tests/install-deps peers && tests/foreign/install build/foreign; }; then echo 'foreign: skipped, pip cannot have them'; \
	  else tests/run $(B) foreign_made; fi
s3: programs ## an S3 server, installed below build/, keeps evdbd's backups
	@if ! { tests/install-deps peers && tests/daemon/s3-install build/s3; }; then echo 's3: skipped, pip cannot have the server'; \
	  else tests/run $(B) test_s3; fi
cover: ## line coverage of the library by all tests
	+@$(AGAIN) test B=build/cover CFLAGS='-O0 -g --coverage'
	@tests/cover build/cover
cover-parsers: ## branch coverage of the parsers (tests/fuzz/parsers) by C tests and the fuzz corpora; 90 % of all must be taken
	@[ ! -d build/cover-parsers ] || find build/cover-parsers -name '*.gcda' -delete
	+@$(AGAIN) parsed B=build/cover-parsers CFLAGS='-O0 -g --coverage' RUNS=0
	@tests/fuzz/cover build/cover-parsers
# The kernels that this machine's processor would not choose; T=name runs other tests of the library there.
ARM       := aarch64-linux-gnu
ARM_ROOT   = $(CURDIR)/build/neon/root
KERNEL_T   = $(or $(T),unit/test_(kernel.*|codes|matrix)$$|api/test_(distance|search)$$)
neon: ## the library for 64-bit ARM: kernels and searches under qemu
	+@if ! { tests/install-deps neon && tests/arm64-root $(ARM_ROOT); }; then echo 'neon: skipped, its compiler cannot be had'; else \
	  CPATH=$(ARM_ROOT)/usr/include EMULATOR='qemu-aarch64 -L /usr/$(ARM) -E LD_LIBRARY_PATH=$(ARM_ROOT)/usr/lib/$(ARM)' \
	  KERNEL_T='$(KERNEL_T)' $(MAKE) --no-print-directory emulated B=build/neon CPUS='cortex-a53:neon max:neon-dot' \
	  CC=$(ARM)-gcc LD=$(ARM)-ld AR=$(ARM)-ar OBJCOPY=$(ARM)-objcopy HARDEN= LDHARDEN='-L$(ARM_ROOT)/usr/lib/$(ARM)'; fi
noavx: ## the same for x86-64, on processors without AVX2
	+@if ! { $(CC) -dumpmachine | grep -q x86_64 && tests/install-deps noavx; }; then echo 'noavx: skipped, qemu cannot be had or this is no x86-64'; else \
	  EMULATOR=qemu-x86_64 KERNEL_T='$(KERNEL_T)' $(MAKE) --no-print-directory emulated CPUS='Nehalem:scalar IvyBridge:scalar'; fi
.PHONY: threaded memcheck guided replay parsed emulated
threaded: all $(ECHO)
emulated: $(UNIT) $(API)
	@for cpu in $(CPUS); do echo "$${cpu%:*}, whose kernels are $${cpu#*:}:"; \
	  EMULATOR="$$EMULATOR -cpu $${cpu%:*}" EVDB_KERNEL="$${cpu#*:}" tests/run --$@ $(B) "$$KERNEL_T" || exit; done
threaded memcheck: $(C_TESTS)
	@tests/run --$@ $(B) '$(T)'
guided: $(FUZZ)
	@tests/fuzz/run $(B) $(SECONDS) '$(T)'
# The C tests whose subjects are parsers, or what they read; one makes their allocations fail. The seed is one, so that the share is.
PARSED    := $(patsubst tests/%.c,%,$(call tests,op) $(call tests,remote) $(call tests,token)) $(addprefix unit/test_,backup_head codec damaged_record filter foreign_text format_feed format_json \
             format_memory format_number format_vectors id indexed_saved json_merge json_text jws jwt utf8 wal) $(addprefix api/test_,backup backup_chain \
             filter foreign foreign_index ids metadata number repair transfer transfer_import verify) $(addprefix fault/test_,alloc backup backup_forged generation lost_commits repair)
empty     :=
parsed: replay $(addprefix $(B)/tests/,$(PARSED))
	@EVDB_SEED=1 EVDB_EFFORT=20 EVDB_EVERY=40 EVDB_FLIPS=2 tests/run --native $(B) '^($(subst $(empty) $(empty),|,$(strip $(PARSED))))$$'
replay: $(FUZZ)
	@for f in $(FUZZ); do mkdir -p $$f.corpus && echo "$${f##*/}:" && \
	  $$f -runs=$(RUNS) $$f.corpus tests/fuzz/corpus/$${f##*/} || exit; done

bench: $(BENCH) $(B)/evdbd ## compare with bare SQLite, memory bandwidth, bare HTTP and other libraries; ROWS=n|all
	@for b in $(BENCH); do $$b $(filter-out all,$(ROWS)) || exit; done
	@$(MAKE) --no-print-directory peers
# Commands for the Python that has what evdb is compared with.
beside     = if tests/install-deps peers && tests/bench/peers-install $(B)/bench/venv; then \
	  export PYTHONDONTWRITEBYTECODE=1 EVDB_LIBRARY=$(abspath $(B))/libevdb.so PYTHONPATH=bindings/python; \
	  python='$(B)/bench/venv/bin/python' rows='$(if $(ROWS),--rows $(ROWS))' metric='$(if $(METRIC),--metric $(METRIC))'; \
	  $(1); else echo '$@: skipped'; fi
peers: library ## the other libraries alone; ROWS=n|all DATA='BASE.npy QUERY.npy' or FILE.hdf5, METRIC=l2|cosine
	@$(call beside,$$python tests/bench/peers.py --out $(B)/bench $$rows $$metric $(DATA) && \
	  $$python tests/bench/ingest.py --out $(B)/bench $$rows $(filter %.npy,$(firstword $(DATA))))
codecs: library ## codecs beside those of faiss: bytes, errors, recall, speed; ROWS=, DATA= and METRIC= as for peers
	@$(call beside,$$python tests/bench/codecs.py $$rows $$metric $(DATA))
storage: library ## a store's bytes before and behind codecs, and what searches then find; ROWS=, DATA=, METRIC=, CODECS='i8 pq'
	@PYTHONDONTWRITEBYTECODE=1 EVDB_LIBRARY=$(abspath $(B))/libevdb.so PYTHONPATH=bindings/python $$(tests/which-python) \
	  tests/bench/storage.py $(if $(ROWS),--rows $(ROWS)) $(if $(METRIC),--metric $(METRIC)) $(if $(CODECS),--codecs '$(CODECS)') $(DATA)
format: ## lay out lines changed since BASE (HEAD), and new files, as .clang-format says
	@tests/install-deps format
	@git diff -U0 --no-color $(or $(BASE),HEAD) -- '*.c' '*.h' | clang-format-diff -p1 -i
	@git ls-files --others --exclude-standard '*.c' '*.h' | xargs -r clang-format -i
tidy: ## clang-tidy over the library and the programs
	@tests/install-deps run tidy
	clang-tidy --quiet $(LIB_C) $(DAEMON_C) $(CLI_C) -- -std=c11 -D_GNU_SOURCE -Iinclude -Ilib -Iserver -Ibindings/cli

HEADERS   := evdb.h $(patsubst include/%,%,$(wildcard include/evdb/*))
MANUALS   := lib/libevdb.3 bindings/cli/evdb.1 server/evdbd.8 server/evdbd.conf.5
MAN_DIRS  := $(addprefix share/man/man,1 3 5 8)
DEST      := $(DESTDIR)$(PREFIX)
install: all ## into PREFIX (/usr/local), below DESTDIR
	install -d $(addprefix $(DEST)/,bin lib/pkgconfig include/evdb $(MAN_DIRS))
	install -m 755 $(B)/evdb $(B)/evdbd $(DEST)/bin
	install -m 644 $(B)/libevdb.a $(DEST)/lib
	install -m 755 $(B)/libevdb.so.$(SOVERSION) $(DEST)/lib
	ln -sf libevdb.so.$(SOVERSION) $(DEST)/lib/libevdb.so
	install -m 644 $(B)/evdb.pc $(DEST)/lib/pkgconfig
	for h in $(HEADERS); do install -m 644 include/$$h $(DEST)/include/$$h || exit; done
	for m in $(MANUALS); do install -m 644 $$m $(DEST)/share/man/man$${m##*.} || exit; done
	@# The loader finds a new library in /usr/local/lib once its cache knows it; only root may tell it.
	[ -n '$(DESTDIR)' ] || ldconfig 2>/dev/null || true
uninstall: ## remove what install put there
	rm -f $(DEST)/bin/evdb $(DEST)/bin/evdbd $(DEST)/lib/libevdb.a $(DEST)/lib/libevdb.so $(DEST)/lib/libevdb.so.$(SOVERSION) \
	  $(DEST)/lib/pkgconfig/evdb.pc $(addprefix $(DEST)/include/,$(HEADERS)) \
	  $(foreach m,$(MANUALS),$(DEST)/share/man/man$(patsubst .%,%,$(suffix $m))/$(notdir $m))
	rmdir $(DEST)/include/evdb 2>/dev/null || true
clean: ## remove build/
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^=]* ## \(.*\)/\1\t\2/p' Makefile | expand -t14

-include $(patsubst %.o,%.d,$(call obj,$(LIB_C) $(DAEMON_C) $(CLI_C) $(wildcard examples/*.c tests/*.c tests/*/*.c)))
