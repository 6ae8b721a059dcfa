/* A job's plan while its planned run is claimed: claim -> change, pause or resume -> start. Checked by build/check-model.sh; see README.md.
   One job with a single run (Once). An operator reschedules, pauses and resumes it while nodes claim, start, release and lose its
   planned entry. */

#define ENTRIES 5                  /* an entry for each plan that may be made: one at first, one for each operation, one at the end */
#define NONE 255

mtype = { nowhere, waiting, claimed, over, ran }

#ifndef OPERATIONS
#define OPERATIONS 3               /* reschedule, pause, resume, cancel: in any order */
#endif
#ifndef FAULTS
#define FAULTS 2                   /* a claim whose entry returns to waiting: its node died, or the answer to a start was lost */
#endif
#ifndef NODES
#define NODES 2
#endif

mtype place[ENTRIES];              /* where each entry is */
byte fence[ENTRIES];               /* the claim that it is under */
bool settled[ENTRIES];             /* that claim has an outcome for it */
byte version[ENTRIES];             /* the definition that it was planned for */

byte planned = NONE;               /* jobs.planned_entry */
bool paused, ended;                /* jobs.state */
byte now_version;                  /* the definition */
byte runs;                         /* how often the latest definition has run */
bool is_cancelled;                 /* an operator has cancelled the planned entry: no run is expected */
byte used;
byte faults = FAULTS;
bool locked;                       /* the job's row */
bool operator_done;

inline lock()   { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline plan() {                    /* JobSql.AddEntry, SetPlan */
    atomic { place[used] = waiting; version[used] = now_version; planned = used; used++; ended = false }
}

/* EndPlannedAsync: three statements (JobSql.EndWaiting, EndClaimed, IsOver), between which the entry may move; repeated until one of
   them has found it. */
inline endPlanned() {
    kept = false;
    do
    :: planned == NONE -> break
    :: else ->
        if
        :: atomic { place[planned] == waiting -> place[planned] = over }; break
        :: else -> skip
        fi;
#ifdef LEFT_TO_ITS_START           /* a claimed entry is about to start, and its start plans the next run */
        kept = (place[planned] == claimed); break;
#endif
#ifdef FORGOTTEN                   /* a claimed entry is no longer the planned one, and starts like a run on demand */
        break;
#endif
        if
        :: atomic { (place[planned] == claimed && !settled[planned]) -> settled[planned] = true; place[planned] = over }; break
        :: else -> skip
        fi;
#ifdef ONE_READ                    /* neither waiting nor in a claim, so it has ended */
        break;
#endif
        if
        :: place[planned] == over || place[planned] == ran -> break
        :: else -> skip
        fi
    od
}

active proctype Operator() {
    byte left = OPERATIONS;
    bool kept, was_over;
    lock(); plan(); unlock();
    do
    :: left > 0 ->
        left--;
        lock();
        was_over = (planned != NONE && place[planned] == over);
        if
        :: true ->                                             /* another time: UpsertAsync */
            atomic { now_version++; runs = 0; is_cancelled = false };
            if
            :: paused -> skip
            :: else ->
                endPlanned();
#ifdef NOT_AFTER_AN_END            /* an entry that had ended by itself: nothing to replace */
                kept = kept || was_over;
#endif
                if
                :: kept -> skip
                :: else -> plan()
                fi
            fi
        :: !paused && !ended ->                                /* pause */
            endPlanned();
            atomic {
                planned = NONE;
                if
                :: was_over -> ended = true
                :: else -> paused = true
                fi
            }
        :: paused -> paused = false; plan()                    /* resume */
        /* CancelAsync of the entry */
        :: atomic { (planned != NONE && place[planned] == waiting) -> place[planned] = over; is_cancelled = true }
        :: was_over && !paused -> planned = NONE; ended = true  /* job recovery: a single run whose entry has ended is over */
        fi;
        unlock()
    :: left == 0 -> break
    od;
    lock();
    if
    :: paused -> paused = false; plan()                        /* at the end the job is active */
    :: else -> skip
    fi;
    unlock();
    operator_done = true
}

active [NODES] proctype Node() {
    byte mine, under;
end:
    do
    :: atomic {                                                /* claim a waiting entry */
            (place[0] == waiting || place[1] == waiting || place[2] == waiting || place[3] == waiting || place[4] == waiting) -> mine = 0;
            do
            :: place[mine] == waiting -> break
            :: else -> mine++
            od;
            place[mine] = claimed; fence[mine]++; settled[mine] = false; under = fence[mine]
        };
        if
        /* the node dies, or gets no answer: the entry returns to waiting, unless it has an outcome */
        :: atomic { faults > 0 ->
                faults--;
                if
                :: fence[mine] == under && !settled[mine] -> settled[mine] = true; place[mine] = waiting
                :: else -> skip
                fi
            }
        :: lock();                                             /* TaskSql.Start: one transaction under the job's lock */
            atomic {
                if
                /* the claim is lost, or a change of the job has ended the run */
                :: fence[mine] != under || settled[mine] -> skip
                :: else ->
                    settled[mine] = true;
                    if
                    :: paused || ended -> place[mine] = over                     /* job_not_active */
                    :: else ->
                        place[mine] = ran;
                        assert(version[mine] == now_version);                    /* no run of an old definition */
                        runs++;
                        assert(runs < 2);                                        /* a single run runs once */
                        if
                        :: planned == mine -> planned = NONE; ended = true
                        :: else -> skip
                        fi
                    fi
                fi
            };
            unlock()
        fi
    od
}

/* When no process can take a step any more, the latest definition has had its run, unless an operator has cancelled it. */
active proctype Judge() {
    timeout;
    assert(operator_done);
    assert(is_cancelled || runs == 1)
}
