/* Runs of one job whose policy is CancelPrevious: a run waits until the earlier ones have ended, and cancels them. Checked by
   build/check-model.sh; see README.md. Nodes claim, start, finish and lose the runs; every run is requested at the beginning. */

#ifndef RUNS
#define RUNS 3
#endif
#ifndef NODES
#define NODES 2
#endif
#ifndef FAULTS
#define FAULTS 2                   /* a claim whose entry returns to waiting: its node died, or the answer to a start was lost */
#endif

mtype = { nowhere, waiting, claimed, over }     /* where an entry is */
mtype = { none, queued, started, ended }        /* its task */

mtype place[RUNS] = waiting;
mtype task[RUNS] = none;
byte created[RUNS];                /* when the task was created, by the database's clock */
bool asked[RUNS];                  /* a cancel was requested while the entry was claimed */
bool completed[RUNS];
bool runs[RUNS];                   /* its handler runs */

byte now = RUNS + 1;               /* the database's clock */
bool set_back;
byte newest;                       /* the task that was created last, by that clock */
byte faults = FAULTS;
bool locked;                       /* the job's row */
byte r;

inline unlock() { locked = false }

/* Whether this run has to wait for the one with number other. */
#define UNFINISHED(other)  (task[other] == queued || task[other] == started)
#define OLDER(other, own)  (created[other] < created[own])
#ifdef OLDEST_STARTS               /* the oldest starts: but after the clock was set back, an older one may be created while another runs */
#define BLOCKS(other, own) (other != own && UNFINISHED(other) && OLDER(other, own))
#else
#define BLOCKS(other, own) (other != own && UNFINISHED(other) && (task[other] == started || OLDER(other, own)))
#endif

inline close(e) { place[e] = over; task[e] = ended }

/* OperatorSql.RequestCancel, CancelWaiting: a waiting entry ends at once, a claimed one when its node has heard of it. */
inline cancel(e) {
    atomic {
        if
        :: !UNFINISHED(e) -> skip
        :: else ->
            if
            :: place[e] == waiting -> close(e)
            :: else -> asked[e] = true
            fi
        fi
    }
}

/* The entry returns to waiting, or ends if a cancel was requested. */
inline putBack(e) {
    atomic {
        if
        :: asked[e] -> close(e)
        :: else -> place[e] = waiting
        fi
    }
}

active [NODES] proctype Node() {
    byte mine, other;
    bool blocked;
    bool listed[RUNS];
end:
    do
    :: atomic {                                                /* claim a waiting entry */
            (place[0] == waiting || place[1] == waiting || place[2] == waiting) ->
            if
            :: place[0] == waiting -> mine = 0
            :: place[1] == waiting -> mine = 1
            :: place[2] == waiting -> mine = 2
            fi;
            place[mine] = claimed
        };
        if
        :: atomic { faults > 0 -> faults-- }; putBack(mine)    /* lost before the start */
        :: atomic { !locked -> locked = true };                /* one transaction under the job's lock: TaskStarter */
            atomic {
                blocked = false;
                if
                :: task[mine] == none ->                       /* a new run: its task is created */
                    if
                    :: created[mine] = now
                    :: !set_back -> set_back = true; created[mine] = 1         /* the clock was set back, once */
                    fi;
                    now++;
                    for (r : 0 .. RUNS - 1) {
                        if
                        :: r != mine && UNFINISHED(r) -> blocked = true
                        :: else -> skip
                        fi
                    };
                    if
                    :: created[mine] >= created[newest] -> newest = mine
                    :: else -> skip
                    fi
                :: task[mine] == queued ->
                    for (r : 0 .. RUNS - 1) {
                        if
                        :: BLOCKS(r, mine) -> blocked = true
                        :: else -> skip
                        fi
                    }
                :: task[mine] == started -> skip               /* it is recovered */
                fi;
                r = 0;
                if
#ifndef STARTS_AT_ONCE                                          /* the earlier run is asked to cancel, which is not its end */
                :: blocked -> task[mine] = queued
                :: else ->
#else
                :: true ->
#endif
                    task[mine] = started;
                    for (r : 0 .. RUNS - 1) {
                        assert(!(r != mine && runs[r]))        /* no run starts beside another one */
                    };
                    r = 0;
                    runs[mine] = true
                fi
            };
            unlock();
            if
            :: runs[mine] ->
                if
                :: atomic { faults > 0 -> faults--; runs[mine] = false }; putBack(mine)        /* the handler has stopped, then the sweep comes */
                :: atomic { !asked[mine] -> runs[mine] = false; close(mine); completed[mine] = true }
                :: atomic { asked[mine] -> runs[mine] = false; close(mine) }
                fi
            :: else ->
                atomic {                                       /* CancelOthersAsync, after the commit: TaskStartRules.FindPrevious */
                    for (r : 0 .. RUNS - 1) {
#ifdef CANCELS_ALL                                              /* a run cancels newer ones too */
                        listed[r] = (r != mine && UNFINISHED(r))
#else
                        listed[r] = (UNFINISHED(mine) && r != mine && UNFINISHED(r) && OLDER(r, mine))
#endif
                    };
                    r = 0; other = 0
                };
                do
                :: atomic { other < RUNS && listed[other] -> listed[other] = false }; cancel(other); other++
                :: other < RUNS && !listed[other] -> other++
                :: other == RUNS -> break
                :: atomic { faults > 0 -> faults-- }; break    /* the node dies before it has cancelled them all */
                od;
                other = 0;
                putBack(mine)                                  /* snoozed, or swept */
            fi
        fi
    od
}

/* When no process can take a step any more, everything has ended, and the newest run has completed: nobody may cancel that one. */
active proctype Judge() {
    timeout;
    assert(place[0] == over && place[1] == over && place[2] == over);
    assert(completed[newest])
}
