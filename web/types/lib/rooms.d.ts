/** @import {Ban, Cancel, MemberPage, PageQuery, Role, Room, RoomPage, RoomSettings} from './types.js' */
/**
 * Rooms and who may do what in them, over HTTP. A refusal is a `ChatError` `http` with the `status`: 403 for what the user may not do,
 * 404 for a room that does not exist or that the user must not see, 409 for an id that is taken and for the last owner.
 */
export class Rooms {
    /** The client makes it; `learn` takes what an answer says of a room. @private */
    private constructor();
    /**
     * Rooms that the user may see.
     * @param {PageQuery & {query?: string}} [options] `query`: beginnings of words in id and name @returns {Promise<RoomPage>}
     */
    list({ signal, ...query }?: PageQuery & {
        query?: string;
    }): Promise<RoomPage>;
    /**
     * Creates a room, whose owner is the user. `join` begins to receive its events.
     * @param {RoomSettings & {room?: string, members?: string[]}} [settings] `room`: its id, else the server makes one; `members`: who is added
     * @param {Cancel} [options] @returns {Promise<Room>}
     */
    create(settings?: RoomSettings & {
        room?: string;
        members?: string[];
    }, options?: Cancel): Promise<Room>;
    /** A room. @param {string} room @param {Cancel} [options] @returns {Promise<Room>} */
    get(room: string, options?: Cancel): Promise<Room>;
    /** Changes what is named. @param {string} room @param {RoomSettings} settings @param {Cancel} [options] @returns {Promise<Room>} */
    update(room: string, settings: RoomSettings, options?: Cancel): Promise<Room>;
    /** Deletes a room and its history. @param {string} room @param {Cancel} [options] @returns {Promise<void>} */
    delete(room: string, options?: Cancel): Promise<void>;
    /** A page of the members, with role, presence and read cursor. @param {string} room @param {PageQuery} [options] @returns {Promise<MemberPage>} */
    members(room: string, { signal, ...query }?: PageQuery): Promise<MemberPage>;
    /** Adds a member. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
    addMember(room: string, user: string, options?: Cancel): Promise<void>;
    /** Gives a member a role; adds the user if needed. @param {string} room @param {string} user @param {Role} role @param {Cancel} [options] @returns {Promise<void>} */
    setRole(room: string, user: string, role: Role, options?: Cancel): Promise<void>;
    /** Removes a member. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
    removeMember(room: string, user: string, options?: Cancel): Promise<void>;
    /** Who is banned. @param {string} room @param {Cancel} [options] @returns {Promise<{items: Ban[]}>} */
    bans(room: string, options?: Cancel): Promise<{
        items: Ban[];
    }>;
    /**
     * Removes a user, who can then not join, read or send.
     * @param {string} room @param {string} user
     * @param {Cancel & {until?: Date|string, reason?: string}} [options] `until`: RFC 3339; default: for ever @returns {Promise<void>}
     */
    ban(room: string, user: string, { signal, ...body }?: Cancel & {
        until?: Date | string;
        reason?: string;
    }): Promise<void>;
    /** Ends a ban. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
    unban(room: string, user: string, options?: Cancel): Promise<void>;
    /**
     * Lets a member read, and not send, edit or react.
     * @param {string} room @param {string} user @param {Cancel & {until?: Date|string}} [options] `until`: RFC 3339; default: for ever
     * @returns {Promise<void>}
     */
    mute(room: string, user: string, { signal, ...body }?: Cancel & {
        until?: Date | string;
    }): Promise<void>;
    /** Ends a mute. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
    unmute(room: string, user: string, options?: Cancel): Promise<void>;
    #private;
}
import type { PageQuery } from './types.js';
import type { RoomPage } from './types.js';
import type { RoomSettings } from './types.js';
import type { Cancel } from './types.js';
import type { Room } from './types.js';
import type { MemberPage } from './types.js';
import type { Role } from './types.js';
import type { Ban } from './types.js';
