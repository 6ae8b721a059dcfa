/*
 * The protocol that decides which node may run an entry: nodes, session locks, leases, claims, fences, sweeps and outcomes.
 * README.md beside this file explains it; build/check-model.sh checks it, and checks that the checker finds the bug of each broken variant.
 *
 * N nodes, one server, one entry. Every atomic step is one thing that happens at once: a statement on the server, a message that is
 * sent or arrives, a decision in a node, a fault. Comments name the statement of a step in src/TaskRecovery.PostgreSql/Sql/.
 *
 * Time is a tick, about a second. Time cannot pass while a running node has reached its deadline and not cancelled its handlers, nor while
 * something that is due has not been done, unless a fault (a pause, a bad network, a stopped server) is the reason.
 */
#ifndef N
#define N 2                     /* nodes */
#endif
#ifndef FAULTS
#define FAULTS 2                /* pauses, bad networks, crashes and server stops, together */
#endif
#define R (2 * N)               /* rows in nodes: each process's present life and the one before it */
#define K 4                     /* claims that something still refers to */

/* The order of these is what matters: OWN_GRACE < GRACE, OWN_LEASE < LEASE, and more than one heartbeat in each. */
#ifndef OWN_GRACE
#define OWN_GRACE 2             /* own deadline of a node that uses its lock   (2.5 s) */
#endif
#define OWN_LEASE 3             /* own deadline without the lock               (12 s)  */
#define LEASE 4                 /* no heartbeat for so long: dead              (15 s)  */
#ifdef NO_GRACE
#define GRACE 0
#else
#define GRACE 3                 /* the same, and its lock is free: dead        (3 s)   */
#endif

/* ---- the database ---- */
bool stored;                    /* the entry exists: stored as waiting, or as claimed by the node that stored it */
bool waiting;                   /* the entry's row in waiting */
byte ended;                     /* its accepted final outcomes */
byte owner[K + 1];              /* claims: the row (+ 1) of the node it belongs to; 0 = no such claim. The index is the fence */
byte outcome[K + 1];            /* outcomes: of the entry, under this fence */
#define OPEN  0
#define FINAL 1                 /* completed, failed for good, cancelled */
#define BACK  2                 /* lost with its node, released, retried: the entry went back to waiting */
#define ERASED 3                /* ended by an erasure while it ran */

bool exists[R], dead[R], said[R];   /* nodes: row exists, dead_at set; heartbeats: "this session holds the lock" */
byte lk[R];                     /* the node's session lock, as pg_locks shows it */
#define FREE 0
#define CUR  1                  /* held by the node's present session */
#define OLD  2                  /* held by a session that the node has given up, and the server has not detected it */
#define STRANGER 3              /* held by a session that belongs to no node: any login may take any advisory lock */
byte bk[R];                     /* heartbeats.backend: the session that sent the last heartbeat */
/* the server runs; it accepts new sessions (a smart shutdown rejects them long before the server is down) */
bool up = true, accepts = true;

/* ---- the nodes ---- */
bool alive[N], paused[N], gen[N], reg[N];
byte age[N];                    /* time since the last acknowledged heartbeat was SENT */
bool uses[N];                   /* that heartbeat said that the node holds its lock */
byte pend[N];                   /* 1 + time since the first unanswered heartbeat that may say so was sent; 0 = none */
byte st[N], mine[N];            /* the worker, and the fence of the entry that it has */
#define IDLE 0
#define RUN  1                  /* the handler runs, and its token is not cancelled */
#define DONE 2                  /* ended with a result that the server has not confirmed */
#define STOP 3                  /* token cancelled, handler ended: to be released */
bool late[N];                   /* was stopped (paused) at its deadline: it could not cancel its handler */
byte sees[N * R], quiet[N * R]; /* what a node has seen of another in this session, and the time without a new heartbeat */
bool chg[N * R];                /* the other node has sent a heartbeat since the last read */
/* FILE_COUNTER: the heartbeat under way is stored in the database, under its write lock, and not only in the node's file */
bool conf[N];
/* this session has read the others before: a node that it sees for the first time has registered since, and held its lock then */
bool hasRead[N];
#define KNOWN 1
#define HELD  2                 /* saw the lock held, in this session */
#define FREED 3                 /* and now it is free, and the last heartbeat had said that it was held */

/* ---- the network: calls under way ---- */
bool cut[N];                    /* nothing passes between this node and the server */
bool conn[N], ses[N];           /* the session for heartbeats, as the node and as the server see it */
byte bt[N], btAge[N]; bool sent[N];
byte cl[N], an[N];              /* the claim call, and the fence its answer brings */
byte zcl[R]; bool zb[R];        /* a claim call, a heartbeat that the node has given up and that may still be executed */
byte fm[N], fc[N], gm[N], mark[N]; /* outcome call and its fence; fence that a reconcile releases; row + 1 of a MarkDead */
#define NONE   0
#define SENT   1
#define TX     2                /* claim: has read its node's row, and locked the waiting row or stored the entry; not committed */
#define ANSWER 3
#define ALIVE_HELD 3
#define ALIVE_FREE 4
#define IS_DEAD    5
#define FINISH   1              /* outcome call: completed */
#define RELEASE 2
#define ACCEPTED 3
#define ANSWERED 4                /* lost to another node, or released */

byte left = FAULTS;
bool calm;                      /* no more faults */
hidden byte i, j, k;            /* scratch */

#define row(n)     (2 * (n) + gen[n])
#define runs(n)    (alive[n] && !paused[n] && !over)
#define expired(n) (age[n] >= OWN_LEASE || (uses[n] && age[n] >= OWN_GRACE) || pend[n] > OWN_GRACE)
#define passes(n)  (up && !cut[n])
#define fault      (left && !calm && !over)
#define faultOf(n) (fault && (n == 0 || left < FAULTS))    /* nodes are alike: the first fault hits node 0 */
#if N == 2
#define busy ((st[0] | st[1] | cl[0] | cl[1] | fm[0] | fm[1]) || (zcl[0] | zcl[1] | zcl[2] | zcl[3]))
#define locked (cl[0] == TX || cl[1] == TX || zcl[0] == TX || zcl[1] == TX || zcl[2] == TX || zcl[3] == TX)
#else
#define busy ((st[0] | st[1] | st[2] | cl[0] | cl[1] | cl[2] | fm[0] | fm[1] | fm[2]) \
    || (zcl[0] | zcl[1] | zcl[2] | zcl[3] | zcl[4] | zcl[5]))
#define locked (cl[0] == TX || cl[1] == TX || cl[2] == TX \
    || zcl[0] == TX || zcl[1] == TX || zcl[2] == TX || zcl[3] == TX || zcl[4] == TX || zcl[5] == TX)
#endif
#define over (ended && !busy)   /* nothing more can happen to the entry */

/* The invariant: the entry is waiting, running or ended, exactly one of them, and it ended once. */
inline invariant() {
    j = waiting + ended;
    for (i : 1 .. K) { j = j + (owner[i] && outcome[i] == OPEN) }
    assert(j == stored)
}

/* The model reuses a fence when its claim has an outcome (ClaimSql.RemoveSettled) and nothing refers to it any more. */
inline tidy() {
    for (i : 1 .. K) {
        k = (owner[i] == 0 || outcome[i] == OPEN);
        for (j : 0 .. N - 1) { k = k || mine[j] == i || fc[j] == i || gm[j] == i || an[j] == i }
        if :: !k -> owner[i] = 0; outcome[i] = 0 :: else fi
    }
    skip
}

/* A death is stored once. */
inline die(r) {
    dead[r] = true;
#ifdef SWEEP_ONCE
    for (i : 1 .. K) { if :: owner[i] == r + 1 && outcome[i] == OPEN -> outcome[i] = BACK; waiting = true :: else fi }
    tidy();
#endif
    for (i : 0 .. N - 1) {
        sees[i * R + r] = 0; quiet[i * R + r] = 0; chg[i * R + r] = 0;
        if :: mark[i] == r + 1 -> mark[i] = 0 :: else fi
    }
    skip
}

/* FILE_COUNTER: a verdict may have read the file before a heartbeat changes it; the database orders only a stored heartbeat with the
   verdict. */
#ifdef FILE_COUNTER
#define guards(r, session) (session == CUR && conf[(r) / 2])
#else
#define guards(r, session) true
#endif

/* A heartbeat of row r is written: other nodes will see a new number, and a verdict guarded by the old number changes nothing. */
inline beaten(r, session) {
    if :: lk[r] == FREE -> lk[r] = session :: else fi;
    said[r] = (lk[r] == session);
    bk[r] = session;
    for (i : 0 .. N - 1) {
        if :: sees[i * R + r] -> chg[i * R + r] = true :: else fi;
#ifndef MARK_UNGUARDED
        if :: mark[i] == r + 1 && guards(r, session) -> mark[i] = 0 :: else fi
#endif
    }
    skip
}

/* The same heartbeat reads the numbers and locks of the other nodes. */
#ifdef EVERYBODY_IS_A_NEWCOMER
#define newcomer(n) true
#else
#define newcomer(n) hasRead[n]
#endif
#define seenHeld(r) (lk[r] != FREE && lk[r] == bk[r])   /* a lock counts only if the recorded session holds it */
inline readOthers(n) {
    for (i : 0 .. R - 1) {
        if
        :: i != row(n) && exists[i] && !dead[i] ->
            if :: !sees[n * R + i] -> sees[n * R + i] = (newcomer(n) -> HELD : KNOWN); quiet[n * R + i] = 0
               :: else -> if :: chg[n * R + i] -> quiet[n * R + i] = 0 :: else fi
            fi;
            chg[n * R + i] = false;
            if :: seenHeld(i) -> sees[n * R + i] = HELD
               :: !seenHeld(i) && sees[n * R + i] >= HELD ->
#ifdef GRACE_BY_LOCK_ALONE
                    sees[n * R + i] = FREED
#else
                    sees[n * R + i] = (said[i] -> FREED : HELD)
#endif
               :: else
            fi
        :: else
        fi
    }
    hasRead[n] = true
}

/* A new session starts without observations. */
inline blank(n) {
#ifndef WATCH_CARRIED_OVER
    for (i : 0 .. R - 1) { sees[n * R + i] = 0; quiet[n * R + i] = 0; chg[n * R + i] = 0 }
    hasRead[n] = false
#endif
    skip
}

inline commit(n, r) {                       /* second half of a claim */
    j = 0;
    for (i : 1 .. K) { if :: j == 0 && owner[i] == 0 -> j = i :: else fi }
    assert(j != 0);                         /* K is large enough */
    assert(exists[r]);                      /* the foreign key: a claim refers to a node's row */
    owner[j] = r + 1; waiting = false; stored = true; k = j
}

inline giveUpClaim(n) {
    if :: (cl[n] == SENT || cl[n] == TX) -> zcl[row(n)] = cl[n] :: else fi;
    cl[n] = NONE; an[n] = 0
}

inline giveUpBeat(n) {                      /* together with the session, which the server may still have */
    if :: bt[n] == SENT && ses[n] -> zb[row(n)] = true :: else fi;
    if :: lk[row(n)] == CUR -> lk[row(n)] = OLD :: else fi;
    if :: bk[row(n)] == CUR -> bk[row(n)] = OLD :: else fi;
    bt[n] = NONE; btAge[n] = 0; conn[n] = false; ses[n] = false; blank(n)
}

/* The node loses what it has in memory: it crashed, or an answer said that it was declared dead. */
inline drop(n) {
    giveUpClaim(n); giveUpBeat(n);
    if :: fm[n] >= ACCEPTED -> fm[n] = NONE; fc[n] = 0 :: else fi;
    st[n] = IDLE; mine[n] = 0; late[n] = false;
    reg[n] = false; age[n] = OWN_LEASE; uses[n] = false; pend[n] = 0; sent[n] = false
}

/* ---- what is due: time cannot pass before it is done ---- */
#define canJudge(n, r) (reg[n] && conn[n] && judgeSession(n) && !mark[n] && exists[r] && !dead[r] && sees[n * R + r] && judgeFresh(n, r) \
    && (quiet[n * R + r] >= LEASE || (sees[n * R + r] == FREED && quiet[n * R + r] >= GRACE && probe)))
#ifdef VERDICT_ON_ANOTHER_SESSION
#define judgeSession(n) true
#else
#define judgeSession(n) ses[n]
#endif
#ifdef MARK_UNGUARDED
#define judgeFresh(n, r) true
#else
#define judgeFresh(n, r) !chg[n * R + r]
#endif
#ifdef NO_PROBE
#define probe true
#else
#define probe accepts                       /* the server accepted a new connection, after the grace */
#endif
#ifdef RECONCILE_DURING_CLAIM
#define noClaimOpen(n) true
#else
#define noClaimOpen(n) (cl[n] == NONE)
#endif
#ifdef NO_RECONCILE
#define unknown(n, c) false
#else
#define unknown(n, c) (reg[n] && noClaimOpen(n) && !gm[n] && owner[c] == row(n) + 1 && outcome[c] == OPEN && mine[n] != c)
#endif
#ifdef SWEEP_ONCE
#define orphan(c) false
#else
#define orphan(c) (owner[c] && outcome[c] == OPEN && exists[(owner[c] - 1)] && dead[(owner[c] - 1)])
#endif
#define anyOrphan     (orphan(1) || orphan(2) || orphan(3) || orphan(4))
#define anyUnknown(n) (unknown(n, 1) || unknown(n, 2) || unknown(n, 3) || unknown(n, 4))
#ifdef CLAIM_BY_DEAD
#define mayClaim(r) true
#else
#define mayClaim(r) (exists[r] && !dead[r])
#endif
#ifdef ANY_OUTCOME_IS_MINE
#define found ACCEPTED
#else
#define found ANSWERED
#endif
#ifdef REFUSED_BY_A_PROXY
#define refused(n) (!accepts || cut[n])
#else
#define refused(n) (!accepts)
#endif
#define other(n) (2 * (n) + 1 - gen[n])
#define canBeat(n) (reg[n] && bt[n] == NONE && !sent[n] && (conn[n] || (accepts && passes(n))))
#define canClaim(n) (reg[n] && conn[n] && !expired(n) && st[n] == IDLE && !mine[n] && cl[n] == NONE && !zcl[row(n)])
#define canRegister(n) (!reg[n] && !exists[other(n)] && !zcl[other(n)])

#define holds(r, c) (owner[c] == r + 1 && outcome[c] == OPEN)
#define named(r) (holds(r, 1) || holds(r, 2) || holds(r, 3) || holds(r, 4) || zcl[r] == TX || (row((r) / 2) == r && cl[(r) / 2] == TX))

#define fireDue(n) (runs(n) && st[n] == RUN && expired(n))
#define callDue(n) (up && calm && (bt[n] || cl[n] || fm[n] || gm[n] || mark[n] \
    || zcl[2 * n] || zcl[2 * n + 1] || zb[2 * n] || zb[2 * n + 1]))
#define nodeDue(n) (runs(n) && passes(n) && (canBeat(n) || (st[n] >= DONE && fm[n] == NONE) \
    || (calm && st[n] == RUN) || (!locked && (!stored || (waiting && canClaim(n)))) || canRegister(n) || anyUnknown(n) || anyOrphan \
    || judgeDue(n, 0) || judgeDue(n, 1) || judgeDue(n, 2) || judgeDue(n, 3) || judgeDue3(n)))
#define judgeDue(n, r) (r != row(n) && canJudge(n, r))
#define due(n) (fireDue(n) || callDue(n) || nodeDue(n))
#if N == 2
#define judgeDue3(n) false
#define someone (runs(0) || runs(1)) && !cut[0] && !cut[1] && !paused[0] && !paused[1]
#define timeMayPass (!due(0) && !due(1))
#else
#define judgeDue3(n) (judgeDue(n, 4) || judgeDue(n, 5))
#define someone (runs(0) || runs(1) || runs(2)) && !cut[0] && !cut[1] && !cut[2] && !paused[0] && !paused[1] && !paused[2]
#define timeMayPass (!due(0) && !due(1) && !due(2))
#endif

inline sendBeat(n) {
    if :: !conn[n] -> conn[n] = true; ses[n] = true; blank(n); if :: bk[row(n)] == CUR -> bk[row(n)] = OLD :: else fi
       :: else
    fi;
    bt[n] = SENT; btAge[n] = 0; sent[n] = true;
#if defined(FILE_COUNTER) && !defined(UNCONFIRMED)
    conf[n] = expired(n);
#endif
#ifndef SHORT_DEADLINE_FROM_ANSWER
    if :: !uses[n] && !pend[n] -> pend[n] = 1 :: else fi
#endif
}

inline beatArrives(n) {
    if
    :: dead[row(n)] || !exists[row(n)] -> bt[n] = IS_DEAD
    :: else ->
        beaten(row(n), CUR); readOthers(n); bt[n] = (said[row(n)] -> ALIVE_HELD : ALIVE_FREE);
#ifndef OLD_BEAT_COUNTS
        zb[row(n)] = false                  /* a heartbeat with a lower number changes nothing */
#endif
    fi
}

inline takeAnswer(n) {
    if
    :: bt[n] == IS_DEAD -> drop(n); lk[row(n)] = FREE; zb[row(n)] = false; tidy()
#if defined(FILE_COUNTER) && !defined(UNCONFIRMED)
    :: bt[n] != IS_DEAD && !conf[n] && expired(n) -> bt[n] = NONE; btAge[n] = 0; sent[n] = false  /* too late: repeat it, stored */
#endif
    :: else ->
#ifdef DEADLINE_FROM_ANSWER
        age[n] = 0;
#else
        age[n] = btAge[n];
#endif
#ifdef SHORT_DEADLINE_KEPT
        uses[n] = true;                     /* whatever the heartbeat said: this node has held its lock once */
#else
        uses[n] = (bt[n] == ALIVE_HELD);
#endif
        pend[n] = 0; bt[n] = NONE; btAge[n] = 0; late[n] = late[n] && expired(n)
    fi
}

inline outcomeArrives(n) {
    if
#ifdef NO_FENCE
    :: fm[n] == FINISH && outcome[fc[n]] != FINAL -> outcome[fc[n]] = FINAL; ended++; fm[n] = ACCEPTED
#else
    :: fm[n] == FINISH && outcome[fc[n]] == OPEN -> outcome[fc[n]] = FINAL; ended++; fm[n] = ACCEPTED
    :: fm[n] == FINISH && outcome[fc[n]] == BACK -> fm[n] = found
#endif
    :: fm[n] == FINISH && outcome[fc[n]] == ERASED -> fm[n] = found
    :: fm[n] == FINISH && outcome[fc[n]] == FINAL -> fm[n] = ACCEPTED           /* its own: an earlier answer was lost */
    :: fm[n] == RELEASE -> if :: outcome[fc[n]] == OPEN -> outcome[fc[n]] = BACK; waiting = true :: else fi; fm[n] = ANSWERED
    fi;
    invariant();
    if :: mine[n] != fc[n] -> fm[n] = NONE; fc[n] = 0; tidy() :: else fi        /* the node no longer waits for this answer */
}

inline sendOutcome(n) { fm[n] = (st[n] == DONE -> FINISH : RELEASE); fc[n] = mine[n] }
inline sendRelease(n) { for (i : 1 .. K) { if :: unknown(n, i) -> gm[n] = i :: else fi } skip }

inline takeOutcome(n) {
    assert(fm[n] == ANSWERED || outcome[fc[n]] == FINAL);                       /* the answer "accepted" only if it was */
    fm[n] = NONE; fc[n] = 0; mine[n] = 0; st[n] = IDLE; tidy()
}

inline releaseArrives(n) {
    if :: outcome[gm[n]] == OPEN -> outcome[gm[n]] = BACK; waiting = true; invariant() :: else fi;
    gm[n] = 0; tidy()
}

#define takable (!locked && (waiting || !stored))
inline claimArrives(n) {
    if
    :: takable && mayClaim(row(n)) -> cl[n] = TX
    :: else -> cl[n] = ANSWER; if :: !stored && !locked -> stored = true; waiting = true; invariant() :: else fi
    fi
}

inline claimCommits(n) { commit(n, row(n)); an[n] = k; cl[n] = ANSWER; invariant() }

inline takeClaim(n) {
    if
    :: an[n] -> mine[n] = an[n];
        if
        :: expired(n) -> st[n] = STOP       /* too late: not started */
        :: else -> st[n] = RUN;
            for (i : 0 .. N - 1) { assert(i == n || st[i] != RUN || late[i]) }  /* no overlap */
        fi
    :: else
    fi;
    cl[n] = NONE; an[n] = 0
}

proctype Node(byte n) {
end: do
    /* -- heartbeats: NodeSql.Heartbeat, on a thread and a session of their own; one each tick -- */
    :: d_step { runs(n) && canBeat(n) && passes(n) && (ses[n] || !conn[n]) -> sendBeat(n); beatArrives(n); takeAnswer(n) }
    :: d_step { runs(n) && canBeat(n) && passes(n) && faultOf(n) -> left--; sendBeat(n) }
    :: d_step { runs(n) && canBeat(n) && conn[n] && (!passes(n) || !ses[n]) -> sendBeat(n) }
    :: d_step { passes(n) && bt[n] == SENT && ses[n] -> beatArrives(n) }
    :: d_step { runs(n) && !cut[n] && bt[n] > SENT -> takeAnswer(n) }
    :: d_step { runs(n) && bt[n] -> giveUpBeat(n) }
    :: d_step { runs(n) && reg[n] && refused(n) && (!conn[n] || !ses[n]) && bt[n] == NONE && (uses[n] || pend[n]) ->
            uses[n] = false; pend[n] = 0; conn[n] = false; blank(n) }           /* the server itself rejects all connections */

    /* -- at the deadline the handler is cancelled -- */
    :: d_step { runs(n) && st[n] == RUN && expired(n) -> st[n] = STOP; late[n] = false }

    /* -- the verdict: NodeSql.MarkDead, guarded by the heartbeat's number, in the session that watched -- */
#define JUDGE(r) d_step { runs(n) && r != row(n) && passes(n) && canJudge(n, r) -> die(r) }
#define JUDGE_LATE(r) d_step { runs(n) && r != row(n) && canJudge(n, r) && faultOf(n) -> left--; mark[n] = r + 1 }
    :: JUDGE(0) :: JUDGE(1) :: JUDGE(2) :: JUDGE(3) :: JUDGE_LATE(0) :: JUDGE_LATE(1) :: JUDGE_LATE(2) :: JUDGE_LATE(3)
#if N > 2
    :: JUDGE(4) :: JUDGE(5) :: JUDGE_LATE(4) :: JUDGE_LATE(5)
#endif
    :: d_step { up && mark[n] -> k = mark[n] - 1; mark[n] = 0; die(k) }

    /* -- the entry is stored: EntrySql.Enqueue -- */
    :: d_step { runs(n) && passes(n) && !stored && !locked -> stored = true; waiting = true; invariant() }

    /* -- claimer: ClaimSql.ClaimAlone, ClaimBesideOthers; reads its node's row (dead_at is null, key share), deletes the waiting
          row, commits. EntrySql.EnqueueClaimed does the same with a new entry, and stores it as waiting if the node is dead -- */
    :: d_step { runs(n) && canClaim(n) && passes(n) && takable ->
            claimArrives(n); if :: cl[n] == TX -> claimCommits(n) :: else fi; takeClaim(n) }
    :: d_step { runs(n) && canClaim(n) && passes(n) && faultOf(n) -> left--; cl[n] = SENT }
    :: d_step { up && cl[n] == SENT -> claimArrives(n) }
    :: d_step { up && cl[n] == TX -> claimCommits(n) }
    :: d_step { runs(n) && !cut[n] && cl[n] == ANSWER -> takeClaim(n) }
    :: d_step { runs(n) && cl[n] -> giveUpClaim(n); tidy() }

    /* -- worker and flush: OutcomeSql.End, OutcomeSql.PutBack; repeated until there is an answer -- */
    :: d_step { runs(n) && st[n] == RUN && !expired(n) -> st[n] = DONE }
    :: d_step { runs(n) && st[n] >= DONE && fm[n] == NONE && passes(n) -> sendOutcome(n); outcomeArrives(n); takeOutcome(n) }
    :: d_step { runs(n) && st[n] >= DONE && fm[n] == NONE && passes(n) && faultOf(n) -> left--; sendOutcome(n) }
    :: d_step { up && (fm[n] == FINISH || fm[n] == RELEASE) -> outcomeArrives(n) }
    :: d_step { runs(n) && !cut[n] && fm[n] >= ACCEPTED -> takeOutcome(n) }
    :: d_step { fm[n] && !over -> fm[n] = NONE; fc[n] = 0; tidy() }             /* call or answer lost */

    /* -- ClaimSql.List: the node's claims; decide while no claim call is open; RecoverySql.Release by id -- */
    :: d_step { runs(n) && passes(n) && anyUnknown(n) -> sendRelease(n); releaseArrives(n) }
    :: d_step { runs(n) && passes(n) && anyUnknown(n) && faultOf(n) -> left--; sendRelease(n) }
#ifdef RECONCILE_IN_ONE_STATEMENT
    /* sent while the node knows no claim; it releases every claim that the node has when it arrives */
    :: d_step { runs(n) && passes(n) && reg[n] && cl[n] == NONE && !mine[n] && !gm[n] && faultOf(n) -> left--; gm[n] = K + 1 }
    :: d_step { up && gm[n] > K ->
            for (i : 1 .. K) { if :: holds(row(n), i) -> outcome[i] = BACK; waiting = true :: else fi }
            gm[n] = 0; tidy() }
#endif
    :: d_step { up && gm[n] && gm[n] <= K -> releaseArrives(n) }
    :: d_step { gm[n] && !over -> gm[n] = 0; tidy() }

    /* -- RecoverySql.Sweep: every claim of a dead node, repeatedly -- */
    :: d_step { runs(n) && passes(n) && anyOrphan ->
            for (i : 1 .. K) {
                if :: orphan(i) -> outcome[i] = BACK; waiting = true;
                   :: else
                fi
            }
            invariant(); tidy() }

    /* -- NodeSql.FindSameName, NodeSql.Insert: a new life. It takes over the work of its previous life at once if that process is
          gone and does not hold its lock -- */
    :: d_step { runs(n) && passes(n) && canRegister(n) ->
            if :: exists[row(n)] && !dead[row(n)] && said[row(n)] && !seenHeld(row(n)) -> die(row(n)) :: else fi;
#ifdef NAMESAKE_UNCHECKED
            for (j : 0 .. R - 1) { if :: exists[j] && !dead[j] && said[j] && !seenHeld(j) -> die(j) :: else fi }
#endif
            gen[n] = 1 - gen[n]; reg[n] = true; exists[row(n)] = true; dead[row(n)] = false; said[row(n)] = false;
            lk[row(n)] = FREE; bk[row(n)] = FREE; zb[row(n)] = false }
    od
}

/* The faults of one node and its network. */
proctype Fate(byte n) {
end: do
    :: d_step { faultOf(n) && alive[n] && !cut[n] -> cut[n] = true; left-- }
    :: d_step { !over && cut[n] -> cut[n] = false }
    /* server detects it */
    :: d_step { !over && (cut[n] || bt[n]) && ses[n] -> ses[n] = false; if :: lk[row(n)] == CUR -> lk[row(n)] = FREE :: else fi }
    :: d_step { faultOf(n) && runs(n) -> paused[n] = true; left-- }                                             /* SIGSTOP */
    :: d_step { !over && paused[n] -> paused[n] = false }
    :: d_step { faultOf(n) && alive[n] -> left--; alive[n] = false; paused[n] = false; drop(n); tidy() }        /* machine lost */
    :: d_step { faultOf(n) && alive[n] -> left--; alive[n] = false; paused[n] = false; drop(n); tidy();         /* SIGKILL */
            if :: lk[row(n)] == OLD -> lk[row(n)] = FREE :: else fi; zb[row(n)] = false }
    :: d_step { !over && !alive[n] -> alive[n] = true }
#define ROW(r) \
    :: d_step { !over && up && zcl[r] == SENT -> zcl[r] = (takable && mayClaim(r) -> TX : NONE) } \
    :: d_step { !over && up && zcl[r] == TX -> commit(n, r); zcl[r] = NONE; invariant() } \
    :: d_step { !over && zcl[r] -> zcl[r] = NONE } \
    :: d_step { !over && up && zb[r] -> zb[r] = false; if :: exists[r] && !dead[r] -> beaten(r, OLD) :: else fi } \
    :: d_step { !over && (lk[r] == OLD || zb[r]) -> zb[r] = false; if :: lk[r] == OLD -> lk[r] = FREE :: else fi } \
    :: d_step { !over && up && exists[r] && dead[r] && !named(r) -> exists[r] = false; dead[r] = false; said[r] = false; bk[r] = FREE }
#ifdef STRANGERS
#define STRANGE(r) :: d_step { !over && up && exists[r] && !dead[r] && lk[r] == FREE -> lk[r] = STRANGER } \
    :: d_step { !over && lk[r] == STRANGER -> lk[r] = FREE }
    STRANGE(2 * n) STRANGE(2 * n + 1)
#endif
    ROW(2 * n) ROW(2 * n + 1)
    od
}

/* The server stops (at once, or smart: it first rejects new connections and keeps existing sessions) and starts; every session and
   call is lost. */
proctype Server() {
end: do
    :: d_step { fault && up && accepts -> accepts = false; left-- }
    :: d_step { !over && up && !accepts -> up = false;
            for (i : 0 .. N - 1) {
                ses[i] = false; gm[i] = 0;
                if :: bt[i] == SENT -> bt[i] = NONE; btAge[i] = 0; conn[i] = false :: else fi;
                if :: cl[i] == SENT || cl[i] == TX -> cl[i] = NONE :: else fi;
                if :: fm[i] == FINISH || fm[i] == RELEASE -> fm[i] = NONE; fc[i] = 0 :: else fi;
#ifndef VERDICT_ON_ANOTHER_SESSION
                mark[i] = 0
#endif
            }
            for (i : 0 .. R - 1) { lk[i] = FREE; zb[i] = false; zcl[i] = NONE }
            tidy() }
    :: d_step { !over && !up -> up = true; accepts = true }
#ifdef LIVE
    :: d_step { !over && !calm && !left && up && accepts && someone -> calm = true }
#endif
    od
}

#ifdef ERASE
/* An erasure ends a waiting entry (OperatorSql.CancelWaitingPlaces), or a running one under the fence of its claim (EraseSql.EndRunning).
   A claim that has not committed holds a lock for which the erasure waits. */
proctype Eraser() {
end: do
    :: d_step { !over && up && stored && !ended && !locked ->
            if :: waiting -> waiting = false; ended++
               :: else ->
#ifdef ERASE_UNDER_ANOTHER_FENCE
                    ended++
#else
                    for (i : 1 .. K) { if :: owner[i] && outcome[i] == OPEN -> outcome[i] = ERASED; ended++ :: else fi }
#endif
            fi;
            invariant(); tidy() }
    od
}
#endif

proctype Clock() {
end: do
    :: d_step { !over && timeMayPass ->
            for (i : 0 .. N - 1) {
                late[i] = late[i] || (paused[i] && st[i] == RUN && expired(i));
                sent[i] = false;
                if :: reg[i] && age[i] < OWN_LEASE -> age[i]++ :: else fi;
                if :: bt[i] && btAge[i] < OWN_LEASE -> btAge[i]++ :: else fi;
                if :: pend[i] && pend[i] <= OWN_GRACE -> pend[i]++ :: else fi
            }
            for (i : 0 .. N * R - 1) { if :: sees[i] && quiet[i] < LEASE -> quiet[i]++ :: else fi }; skip }
    od
}

init {
    d_step {
        /* all nodes are registered, connected, hold their locks and have seen each other */
        for (i : 0 .. N - 1) {
            alive[i] = true; reg[i] = true; conn[i] = true; ses[i] = true; uses[i] = true;
            exists[2 * i] = true; said[2 * i] = true; lk[2 * i] = CUR; bk[2 * i] = CUR; hasRead[i] = true;
            for (j : 0 .. N - 1) { if :: j != i -> sees[i * R + 2 * j] = HELD :: else fi }
        }
        skip
    }
    atomic {
        for (i : 0 .. N - 1) { run Node(i); run Fate(i) }
#ifdef ERASE
        run Eraser();
#endif
        run Server(); run Clock()
    }
}

ltl finishes { (<> calm) -> (<> (ended > 0)) }
