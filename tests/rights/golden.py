"""Who may do what, written down by hand: the table that the one in the code is held against.

y: done, whatever becomes of it; s: UNAUTHENTICATED; f: FORBIDDEN; x: refused as a whole, for the session has ended.
"""

ACTORS = ("anonymous", "guest", "unverified", "user", "moderator", "admin", "banned")
TABLE = """
                                  an gu un us mo ad ba
Query.viewer                       y  y  y  y  y  y  x
Query.node                         y  y  y  y  y  y  x
Query.nodes                        y  y  y  y  y  y  x
Query.user                         y  y  y  y  y  y  x
Query.game                         y  y  y  y  y  y  x
Query.games                        y  y  y  y  y  y  x
Query.genres                       y  y  y  y  y  y  x
Query.teammates                    s  y  y  y  y  y  x
Query.match                        s  y  y  y  y  y  x
Query.chat                         s  y  y  y  y  y  x
Query.message                      s  y  y  y  y  y  x
Query.events                       s  y  y  y  y  y  x
Query.auditLog                     s  f  f  y  y  y  x
Query.accounts                     s  f  f  f  f  y  x

Mutation.register                  y  y  y  y  y  y  x
Mutation.verifyEmail               y  y  y  y  y  y  x
Mutation.resendVerification        y  y  y  y  y  y  x
Mutation.signIn                    y  y  y  y  y  y  x
Mutation.signInAsGuest             y  y  y  y  y  y  x
Mutation.refreshSession            y  y  y  y  y  y  x
Mutation.requestPasswordReset      y  y  y  y  y  y  x
Mutation.resetPassword             y  y  y  y  y  y  x
Mutation.recoverUsername           y  y  y  y  y  y  x
Mutation.undoEmailChange           y  y  y  y  y  y  x
Mutation.restoreAccount            y  y  y  y  y  y  x
Mutation.signOut                   s  y  y  y  y  y  x
Mutation.updateProfile             s  y  y  y  y  y  x
Mutation.revokeSession             s  f  f  y  y  y  x
Mutation.revokeOtherSessions       s  f  f  y  y  y  x
Mutation.changePassword            s  f  f  y  y  y  x
Mutation.changeEmail               s  f  f  y  y  y  x
Mutation.confirmEmailChange        s  f  f  y  y  y  x
Mutation.deleteAccount             s  f  f  y  y  y  x
Mutation.beginTotp                 s  f  f  y  y  y  x
Mutation.confirmTotp               s  f  f  y  y  y  x
Mutation.removeTotp                s  f  f  y  y  y  x
Mutation.renewRecoveryCodes        s  f  f  y  y  y  x

Mutation.sendTeammateRequest       s  f  f  y  y  y  x
Mutation.answerTeammateRequest     s  f  f  y  y  y  x
Mutation.cancelTeammateRequest     s  f  f  y  y  y  x
Mutation.removeTeammate            s  f  f  y  y  y  x
Mutation.blockUser                 s  f  f  y  y  y  x
Mutation.unblockUser               s  f  f  y  y  y  x

Mutation.openDirectChat            s  f  f  y  y  y  x
Mutation.createGroup               s  f  f  y  y  y  x
Mutation.addMembers                s  f  f  y  y  y  x
Mutation.sendMessage               s  f  f  y  y  y  x
Mutation.leaveChat                 s  y  y  y  y  y  x
Mutation.markRead                  s  y  y  y  y  y  x
Subscription.events                s  y  y  y  y  y  x
Subscription.chatEvents            s  y  y  y  y  y  x

Mutation.sanctionUser              s  f  f  f  y  y  x
Mutation.liftSanction              s  f  f  f  y  y  x
Mutation.setUserRole               s  f  f  f  f  y  x
Mutation.createUser                s  f  f  f  f  y  x
"""
# What Viewer.can answers: for guests, users, moderators, administrators, and a user who is muted.
CAN_ACTORS = ("guest", "user", "moderator", "admin", "muted")
CAN = """
                           gu us mo ad mu
SEARCH_TEAMMATES            y  y  y  y  y
SEND_TEAMMATE_REQUEST       n  y  y  y  n
OPEN_CHAT                   n  y  y  y  y
SEND_MESSAGE                n  y  y  y  n
CREATE_GROUP                n  y  y  y  n
UPLOAD                      n  y  y  y  y
REPORT                      n  y  y  y  y
MODERATE                    n  n  y  y  n
ADMINISTER                  n  n  n  y  n
"""


def read(table: str, actors: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Read a table: outcomes by line and actor."""
    lines = [line.split() for line in table.strip().splitlines()[1:] if line.strip()]
    return {name: dict(zip(actors, outcomes, strict=True)) for name, *outcomes in lines}


GOLDEN = read(TABLE, ACTORS)
GOLDEN_CAN = read(CAN, CAN_ACTORS)
