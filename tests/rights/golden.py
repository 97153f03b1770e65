"""Who may do what, written down by hand from the table of rights: what the code is held against, never made from it.

    y  done, whatever becomes of it: what is unknown or malformed is told as such
    s  UNAUTHENTICATED: sign in first
    f  FORBIDDEN: the role does not hold the right
    m  rejected with the user error ACCOUNT_MUTED
    x  refused as a whole before anything is executed, what is public too: HTTP 401, a socket closed with 4403

The actors: an anonymous one, a guest, un who registered but has not proved the address (and has a guest's session), a
user, a moderator, an administrator, ba with a token from before the ban, mu a user who is muted.
"""

ACTORS = ("anonymous", "guest", "unverified", "user", "moderator", "admin", "banned", "muted")
# Every root field of the schema: a new one needs a line here.
TABLE = """
                                   an gu un us mo ad ba mu

Query.viewer                        y  y  y  y  y  y  x  y
Query.node                          y  y  y  y  y  y  x  y
Query.nodes                         y  y  y  y  y  y  x  y
Query.user                          y  y  y  y  y  y  x  y
Query.game                          y  y  y  y  y  y  x  y
Query.games                         y  y  y  y  y  y  x  y
Query.genres                        y  y  y  y  y  y  x  y
Query.rateLimit                     y  y  y  y  y  y  x  y
Query.teammates                     s  y  y  y  y  y  x  y
Query.users                         s  y  y  y  y  y  x  y
Query.match                         s  y  y  y  y  y  x  y
Query.chat                          s  y  y  y  y  y  x  y
Query.message                       s  y  y  y  y  y  x  y
Query.searchMessages                s  y  y  y  y  y  x  y
Query.invite                        s  y  y  y  y  y  x  y
Query.events                        s  y  y  y  y  y  x  y
Query.auditLog                      s  f  f  y  y  y  x  y
Query.accounts                      s  f  f  f  f  y  x  f

Mutation.register                   y  y  y  y  y  y  x  y
Mutation.verifyEmail                y  y  y  y  y  y  x  y
Mutation.resendVerification         y  y  y  y  y  y  x  y
Mutation.signIn                     y  y  y  y  y  y  x  y
Mutation.signInAsGuest              y  y  y  y  y  y  x  y
Mutation.refreshSession             y  y  y  y  y  y  x  y
Mutation.requestPasswordReset       y  y  y  y  y  y  x  y
Mutation.resetPassword              y  y  y  y  y  y  x  y
Mutation.recoverUsername            y  y  y  y  y  y  x  y
Mutation.undoEmailChange            y  y  y  y  y  y  x  y
Mutation.restoreAccount             y  y  y  y  y  y  x  y
Mutation.signOut                    s  y  y  y  y  y  x  y
Mutation.updateProfile              s  y  y  y  y  y  x  y
Mutation.setPlaying                 s  y  y  y  y  y  x  y
Mutation.createUpload               s  f  f  y  y  y  x  y
Mutation.setAvatar                  s  f  f  y  y  y  x  y
Mutation.revokeSession              s  f  f  y  y  y  x  y
Mutation.revokeOtherSessions        s  f  f  y  y  y  x  y
Mutation.changePassword             s  f  f  y  y  y  x  y
Mutation.changeEmail                s  f  f  y  y  y  x  y
Mutation.confirmEmailChange         s  f  f  y  y  y  x  y
Mutation.deleteAccount              s  f  f  y  y  y  x  y
Mutation.exportMyData               s  f  f  y  y  y  x  y
Mutation.beginTotp                  s  f  f  y  y  y  x  y
Mutation.confirmTotp                s  f  f  y  y  y  x  y
Mutation.removeTotp                 s  f  f  y  y  y  x  y
Mutation.renewRecoveryCodes         s  f  f  y  y  y  x  y

Mutation.sendTeammateRequest        s  f  f  y  y  y  x  m
Mutation.answerTeammateRequest      s  f  f  y  y  y  x  y
Mutation.cancelTeammateRequest      s  f  f  y  y  y  x  y
Mutation.removeTeammate             s  f  f  y  y  y  x  y
Mutation.blockUser                  s  f  f  y  y  y  x  y
Mutation.unblockUser                s  f  f  y  y  y  x  y
Mutation.setUserNote                s  f  f  y  y  y  x  y
Mutation.praiseTeammate             s  f  f  y  y  y  x  y

Mutation.openDirectChat             s  f  f  y  y  y  x  y
Mutation.createGroup                s  f  f  y  y  y  x  m
Mutation.addMembers                 s  f  f  y  y  y  x  y
Mutation.updateChat                 s  f  f  y  y  y  x  m
Mutation.removeMember               s  f  f  y  y  y  x  y
Mutation.setMemberRole              s  f  f  y  y  y  x  y
Mutation.createInviteLink           s  f  f  y  y  y  x  y
Mutation.revokeInviteLink           s  f  f  y  y  y  x  y
Mutation.joinByInvite               s  f  f  y  y  y  x  y
Mutation.sendMessage                s  f  f  y  y  y  x  m
Mutation.setTyping                  s  f  f  y  y  y  x  m
Mutation.editMessage                s  f  f  y  y  y  x  m
Mutation.setReaction                s  f  f  y  y  y  x  m
Mutation.deleteMessage              s  y  y  y  y  y  x  y
Mutation.pinMessage                 s  f  f  y  y  y  x  y
Mutation.setChatNotifications       s  y  y  y  y  y  x  y
Mutation.leaveChat                  s  y  y  y  y  y  x  y
Mutation.markRead                   s  y  y  y  y  y  x  y
Subscription.events                 s  y  y  y  y  y  x  y
Subscription.chatEvents             s  y  y  y  y  y  x  y

Query.reports                       s  f  f  f  y  y  x  f
Mutation.report                     s  f  f  y  y  y  x  y
Mutation.claimReport                s  f  f  f  y  y  x  f
Mutation.releaseReport              s  f  f  f  y  y  x  f
Mutation.resolveReport              s  f  f  f  y  y  x  f
Mutation.hideReportedMessage        s  f  f  f  y  y  x  f

Mutation.sanctionUser               s  f  f  f  y  y  x  f
Mutation.liftSanction               s  f  f  f  y  y  x  f
Query.accountNotes                  s  f  f  f  y  y  x  f
Mutation.addAccountNote             s  f  f  f  y  y  x  f
Mutation.appealBan                  y  y  y  y  y  y  x  y
Mutation.appealMute                 s  y  y  y  y  y  x  y
Mutation.answerAppeal               s  f  f  f  y  y  x  f
Query.appeals                       s  f  f  f  y  y  x  f
Mutation.setUserRole                s  f  f  f  f  y  x  f
Mutation.createUser                 s  f  f  f  f  y  x  f
Mutation.saveGame                   s  f  f  f  f  y  x  f
Mutation.mergeGames                 s  f  f  f  f  y  x  f
Query.wordRules                     s  f  f  f  y  y  x  f
Query.testPhrase                    s  f  f  f  y  y  x  f
Mutation.saveWordRule               s  f  f  f  f  y  x  f
Mutation.deleteWordRule             s  f  f  f  f  y  x  f
Query.limits                        s  f  f  f  f  y  x  f
Mutation.setLimit                   s  f  f  f  f  y  x  f
Mutation.saveGenre                  s  f  f  f  f  y  x  f
"""
# Rights that no root field names, for they stand behind one. SEARCH_FURTHER: everybody who is signed in searches, but
# a guest sees the first page alone.
BEHIND_TABLE = """
                                   an gu un us mo ad ba mu

SEARCH_FURTHER                      s  f  f  y  y  y  x  y
"""
# What Viewer.can answers, y or n. For an anonymous one there is no Viewer to ask, which is a no.
CAN_ACTORS = ("anonymous", "guest", "user", "moderator", "admin", "muted")
CAN_TABLE = """
                                   an gu us mo ad mu

SEARCH_TEAMMATES                    n  y  y  y  y  y
SEND_TEAMMATE_REQUEST               n  n  y  y  y  n
OPEN_CHAT                           n  n  y  y  y  y
SEND_MESSAGE                        n  n  y  y  y  n
CREATE_GROUP                        n  n  y  y  y  n
UPLOAD                              n  n  y  y  y  y
REPORT                              n  n  y  y  y  y
MODERATE                            n  n  n  y  y  n
ADMINISTER                          n  n  n  n  y  n
"""

type Golden = dict[str, dict[str, str]]


def _read(table: str, actors: tuple[str, ...]) -> Golden:
    """Read a table: outcomes by line and actor. No line may stand in it twice."""
    head, *lines = [line.split() for line in table.splitlines() if line.strip()]
    assert head == [actor[:2] for actor in actors], head
    found = {name: dict(zip(actors, outcomes, strict=True)) for name, *outcomes in lines}
    assert len(found) == len(lines), "an operation has two lines"
    return found


GOLDEN = _read(TABLE, ACTORS)
BEHIND = _read(BEHIND_TABLE, ACTORS)
CAN = _read(CAN_TABLE, CAN_ACTORS)
